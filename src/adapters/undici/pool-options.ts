import type { ConnectionOptions } from 'node:tls'
import { type Duration, kindOf, toMs } from '../../kernel/duration.ts'
import {
  checkBoolean,
  checkCount,
  checkNumber,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'

/** Options of {@link httpPool}. */
export interface HttpPoolOptions {
  /** For metrics and messages. @default 'http' */
  name?: string
  /** Connections to each origin, at most. A call that finds none free waits. @default 10 */
  connections?: number
  /**
   * Calls sent on one HTTP/1.1 connection before the first is answered. More than 1 only for servers
   * that are known to bear it: one slow answer delays those behind it. @default 1
   */
  pipelining?: number
  /**
   * How long an idle connection is kept; a server that names a shorter time in its `keep-alive` header
   * is obeyed. Keep it below the server's own limit. @default '30s'
   */
  keepAlive?: Duration
  /**
   * HTTP/2 where a server offers it over TLS: then one connection carries many calls at once.
   * @default true
   */
  http2?: boolean
  /** For TCP and TLS together. @default '10s' */
  connectTimeout?: Duration
  /** From the end of the request to the headers of its answer. @default '5m' */
  headersTimeout?: Duration
  /** Between two parts of a body. @default '5m' */
  bodyTimeout?: Duration
  /** As in `tls.connect`: `ca`, `cert`, `key`, `servername`, … */
  tls?: ConnectionOptions
}

export interface HttpPoolSettings {
  readonly name: string
  readonly connections: number
  readonly pipelining: number
  readonly keepAliveMs: number
  readonly http2: boolean
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly tls: ConnectionOptions
}

const NAMES = [
  ...['name', 'connections', 'pipelining', 'keepAlive', 'http2'],
  ...['connectTimeout', 'headersTimeout', 'bodyTimeout', 'tls'],
]

/** @throws ERR_INVALID_OPTION that names the option and what it takes. */
export function poolSettings(options: HttpPoolOptions): HttpPoolSettings {
  checkOptionNames(options as unknown, NAMES, 'httpPool()')
  const { name = 'http', connections = 10, pipelining = 1, http2 = true, tls = {} } = options
  if (typeof name !== 'string') throw invalidOption(`name must be text, got ${kindOf(name)}`)
  checkCount(connections, 'connections')
  checkNumber(connections, 'connections', 1, Number.MAX_SAFE_INTEGER)
  checkCount(pipelining, 'pipelining')
  checkBoolean(http2, 'http2')
  if (typeof tls !== 'object' || tls === null) {
    throw invalidOption(`tls must be an object as in tls.connect(), got ${kindOf(tls)}`)
  }
  return {
    name,
    connections,
    pipelining,
    http2,
    tls,
    keepAliveMs: positive(options.keepAlive ?? '30s', 'keepAlive'),
    connectTimeoutMs: wholeMs(options.connectTimeout ?? '10s', 'connectTimeout'),
    headersTimeoutMs: wholeMs(options.headersTimeout ?? '5m', 'headersTimeout'),
    bodyTimeoutMs: wholeMs(options.bodyTimeout ?? '5m', 'bodyTimeout'),
  }
}

/** undici reads 0 as never, and takes no Infinity. */
function wholeMs(value: unknown, option: string): number {
  const ms = toMs(value, option)
  return ms === Infinity ? 0 : Math.max(1, Math.ceil(ms))
}

function positive(value: unknown, option: string): number {
  const ms = toMs(value, option)
  if (ms > 0 && ms !== Infinity) return ms
  throw invalidOption(`${option} must be longer than 0 and finite`)
}
