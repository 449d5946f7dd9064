import { kindOf, shown } from '../../../kernel/duration.ts'
import { checkOptionNames, invalidOption } from '../../../kernel/options.ts'
import type { Endpoint } from './discovery.ts'
import type { Credentials } from './settings.ts'

// Texts that are given as addresses may carry passwords, so no message shows one.

export const REDIS_PORT = 6379
export const SENTINEL_PORT = 26_379

/** A server: `'host:port'`, `'[::1]:port'`, or its parts. The port may be left out. */
export type RedisEndpoint = string | { host: string; port?: number }

export interface RedisUrl {
  readonly endpoint: Endpoint
  readonly credentials: Credentials
  readonly db?: number
  readonly isTls: boolean
}

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i
const BRACKETED = /^\[([0-9a-f:.%a-z]+)\](?::(\d+))?$/i
const PLAIN = /^([^\s:/@?#[\]]+)(?::(\d+))?$/

/** @throws ERR_INVALID_OPTION that names `option` */
export function parseEndpoint(value: unknown, option: string, defaultPort: number): Endpoint {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    checkOptionNames(value, ['host', 'port'], option)
    const { host, port } = value as { host?: unknown; port?: unknown }
    if (typeof host !== 'string' || !isHost(host)) {
      throw invalidOption(`${option} needs a host: a name or an IP address without a port`)
    }
    return { host, port: checkPort(port ?? defaultPort, option) }
  }
  if (typeof value !== 'string') {
    throw invalidOption(`${option} must be 'host:port' or { host, port }, got ${kindOf(value)}`)
  }
  const match = BRACKETED.exec(value.trim()) ?? PLAIN.exec(value.trim())
  if (!match) throw invalidOption(notAnEndpoint(value, option))
  const port = match[2] === undefined ? defaultPort : Number(match[2])
  return { host: match[1] as string, port: checkPort(port, option) }
}

/** @throws ERR_INVALID_OPTION that names `option` */
export function parseEndpoints(
  values: unknown,
  option: string,
  defaultPort: number,
): readonly Endpoint[] {
  if (!Array.isArray(values)) {
    throw invalidOption(`${option} must be a list of 'host:port', got ${kindOf(values)}`)
  }
  if (values.length === 0) throw invalidOption(`${option} is empty: name at least one server`)
  return values.map((value, at) => parseEndpoint(value, `${option}[${at}]`, defaultPort))
}

/** @throws ERR_INVALID_OPTION that names `option` */
export function parseRedisUrl(value: unknown, option: string): RedisUrl {
  if (typeof value !== 'string') {
    throw invalidOption(`${option} must be text, got ${kindOf(value)}`)
  }
  const scheme = /^rediss?:\/\//i.exec(value.trim())
  if (!scheme) {
    throw invalidOption(
      `${option} must begin with redis:// or rediss://, such as redis://user:password@host:6379/0`,
    )
  }
  let url: URL
  try {
    // Of schemes that it does not know, URL parses neither port nor IPv6 any worse.
    url = new URL(value.trim())
  } catch {
    throw invalidOption(
      `${option} is not a valid url; write characters such as @ : / # % in a password as %40 %3A %2F %23 %25`,
    )
  }
  if (url.search || url.hash) {
    throw invalidOption(
      `${option} has a query or a fragment, which mean nothing here; a # or ? in a password is written %23 or %3F`,
    )
  }
  if (!url.hostname) throw invalidOption(`${option} names no host`)
  const username = decoded(url.username, option)
  const password = decoded(url.password, option)
  const db = dbOf(url.pathname, option)
  return {
    endpoint: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? REDIS_PORT : checkPort(Number(url.port), option),
    },
    credentials: { ...(username && { username }), ...(password && { password }) },
    ...(db !== undefined && { db }),
    isTls: url.protocol === 'rediss:',
  }
}

function isHost(text: string): boolean {
  return (
    text !== '' &&
    !/[\s/@?#[\]]/.test(text) &&
    (!text.includes(':') || text.includes('::') || text.split(':').length > 2)
  )
}

function checkPort(port: unknown, option: string): number {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  const got = typeof port === 'string' ? 'text' : shown(port)
  throw invalidOption(`the port of ${option} must be a whole number from 1 to 65535, got ${got}`)
}

function notAnEndpoint(text: string, option: string): string {
  if (SCHEME.test(text)) {
    return `${option} must be 'host:port' without redis://; credentials and tls are options of their own`
  }
  if (text.includes(',')) {
    return `${option} has a comma in it: give several servers as a list of 'host:port'`
  }
  if (text.split(':').length > 2) {
    return `${option} must be 'host:port'; an IPv6 address stands in brackets, such as '[::1]:6379'`
  }
  return `${option} must be 'host:port', '[IPv6]:port' or { host, port }`
}

function decoded(text: string, option: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidOption(
      `${option} has a % in its credentials that stands for nothing; write it %25`,
    )
  }
}

function dbOf(path: string, option: string): number | undefined {
  if (path === '' || path === '/') return undefined
  const match = /^\/(\d{1,5})\/?$/.exec(path)
  if (!match) {
    throw invalidOption(
      `${option} must end in the number of a database, such as /0; a / in a password is written %2F`,
    )
  }
  return Number(match[1])
}
