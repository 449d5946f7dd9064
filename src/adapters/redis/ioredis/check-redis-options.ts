import type { ConnectionOptions } from 'node:tls'
import { toBytes } from '../../../kernel/byte-size.ts'
import { shown, toMs } from '../../../kernel/duration.ts'
import { checkChoice, checkOptionNames, invalidOption } from '../../../kernel/options.ts'
import { checkSecret, checkTls } from './check-values.ts'
import { parseRedisUrl, type RedisUrl } from './endpoints.ts'
import { checkTarget, targetName } from './redis-target.ts'
import type { Credentials, Settings } from './settings.ts'

const NAMES = [
  'url',
  'sentinels',
  'masterName',
  'standalone',
  'fallback',
  'sentinelUsername',
  'sentinelPassword',
  'sentinelTls',
  'cluster',
  'client',
  'username',
  'password',
  'tls',
  'db',
  'prefix',
  'timeout',
  'coherence',
  'connections',
  'maxValueBytes',
] as const

const MOST_BYTES = 8 * 1024 * 1024

/**
 * The options with all defaults in.
 * @throws ERR_INVALID_OPTION, never with a password or an address in its message
 */
export function checkRedisOptions(options: unknown): Settings {
  checkOptionNames(options, NAMES, 'redis()')
  const target = targetName(options)
  const url = target === 'url' ? parseRedisUrl(options.url, 'url') : undefined
  if (target === 'client') refuseBesideClient(options)
  checkChoice(options.coherence, ['bus', 'ttl-only'], 'coherence')
  const tls = checkDataTls(options.tls, url)
  return {
    target: checkTarget(options, target, url),
    credentials: checkCredentials(options, url),
    ...(tls && { tls }),
    db: checkDb(options.db, url, target),
    prefix: checkPrefix(options.prefix ?? 'rc'),
    timeoutMs: checkTimeout(options.timeout ?? 50),
    coherence: options.coherence === 'ttl-only' ? 'ttl-only' : 'bus',
    connections: checkConnections(options.connections ?? 1),
    maxValueBytes: checkMaxBytes(options.maxValueBytes ?? '1mb'),
  }
}

function refuseBesideClient(options: Record<string, unknown>): void {
  for (const name of ['username', 'password', 'tls', 'db', 'connections']) {
    if (options[name] !== undefined) {
      throw invalidOption(`${name} has no effect beside client: set it where the client is made`)
    }
  }
}

function checkDataTls(value: unknown, url: RedisUrl | undefined): ConnectionOptions | undefined {
  const tls = checkTls(value, 'tls')
  if (!url) return tls
  if (tls && !url.isTls)
    throw invalidOption('tls is set but url begins with redis://; write rediss://')
  if (value === false && url.isTls) {
    throw invalidOption('tls is false but url begins with rediss://; write redis://')
  }
  return url.isTls ? (tls ?? {}) : undefined
}

function checkCredentials(
  options: Record<string, unknown>,
  url: RedisUrl | undefined,
): Credentials {
  const username = checkSecret(options.username, 'username')
  const password = checkSecret(options.password, 'password')
  const inUrl = url?.credentials ?? {}
  if ((username && inUrl.username) || (password && inUrl.password)) {
    throw invalidOption('credentials stand both in url and in username or password: give them once')
  }
  const both = { ...inUrl, ...(username && { username }), ...(password && { password }) }
  if (both.username && !both.password) throw invalidOption('username is set but no password')
  return both
}

function checkDb(value: unknown, url: RedisUrl | undefined, target: string): number {
  if (value === undefined) return url?.db ?? 0
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 65_535) {
    throw invalidOption(`db must be the number of a database, got ${shown(value)}`)
  }
  if (url?.db !== undefined && url.db !== value) {
    throw invalidOption('db and the end of url name different databases: give it once')
  }
  if (target === 'cluster' && value !== 0) {
    throw invalidOption('db must be 0 with cluster: a Redis Cluster has no other database')
  }
  return value
}

function checkPrefix(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > 100) {
    throw invalidOption(`prefix must be text of 1 to 100 characters, got ${shown(value)}`)
  }
  if (/[{}\p{Cc}\p{Cs}\s]/u.test(value)) {
    throw invalidOption(
      'prefix must not contain braces, spaces or control characters: braces decide where Redis Cluster puts a key',
    )
  }
  return value
}

function checkTimeout(value: unknown): number {
  const ms = toMs(value, 'timeout')
  if (ms === 0) throw invalidOption('timeout must be > 0: at 0 no operation could end in time')
  if (ms > 60_000) throw invalidOption(`timeout must be at most '1m', got ${shown(value)}`)
  return ms
}

function checkConnections(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 16) {
    return value
  }
  throw invalidOption(`connections must be a whole number from 1 to 16, got ${shown(value)}`)
}

function checkMaxBytes(value: unknown): number {
  const bytes = toBytes(value, 'maxValueBytes')
  if (bytes <= MOST_BYTES) return bytes
  throw invalidOption(
    `maxValueBytes must be at most '8mb', got ${shown(value)}: a larger value would hold up all others on the connection`,
  )
}
