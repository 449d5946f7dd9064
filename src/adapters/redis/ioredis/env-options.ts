import { invalidOption, nearestName, unknownName } from '../../../kernel/options.ts'
import {
  parseEndpoint,
  parseRedisUrl,
  REDIS_PORT,
  type RedisEndpoint,
  SENTINEL_PORT,
} from './endpoints.ts'
import type { RedisOptions } from './redis-options.ts'

export type RedisEnv = Readonly<Record<string, string | undefined>>

const VARIABLES = [
  'REDIS_MODE',
  'REDIS_URL',
  'REDIS_HOST',
  'REDIS_PORT',
  'REDIS_SENTINELS',
  'REDIS_MASTER_NAME',
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_TLS',
  'REDIS_SENTINEL_PASSWORD',
  'REDIS_STANDALONE',
  'REDIS_CLUSTER_NODES',
] as const
type Variable = (typeof VARIABLES)[number]

const MODES = ['standalone', 'sentinel', 'cluster'] as const
type Mode = (typeof MODES)[number]

/**
 * The options that the variables stand for, see `redisFromEnv`.
 * @throws ERR_INVALID_OPTION that names the variable
 */
export function optionsFromEnv(env: RedisEnv): RedisOptions {
  const read = (name: Variable): string | undefined => env[name]?.trim() || undefined
  switch (modeOf(read, env)) {
    case 'sentinel':
      return sentinelOptions(read, env)
    case 'cluster':
      return clusterOptions(read, env)
    case 'standalone':
      return standaloneOptions(read, env)
  }
}

type Read = (name: Variable) => string | undefined

function modeOf(read: Read, env: RedisEnv): Mode {
  const given = read('REDIS_MODE')?.toLowerCase()
  if (given !== undefined) {
    if (MODES.includes(given as Mode)) return given as Mode
    throw unknownName(given, MODES, 'REDIS_MODE has no such choice')
  }
  const isSentinel = read('REDIS_SENTINELS') !== undefined
  const isCluster = read('REDIS_CLUSTER_NODES') !== undefined
  const single = read('REDIS_URL') ? 'REDIS_URL' : read('REDIS_HOST') ? 'REDIS_HOST' : undefined
  const set = [
    ...(isSentinel ? ['REDIS_SENTINELS'] : []),
    ...(isCluster ? ['REDIS_CLUSTER_NODES'] : []),
    ...(single ? [single] : []),
  ]
  if (set.length > 1) {
    throw invalidOption(
      `${set.join(' and ')} are set: say which counts with REDIS_MODE=${MODES.join('|')}`,
    )
  }
  if (isSentinel) return 'sentinel'
  if (isCluster) return 'cluster'
  if (single) return 'standalone'
  throw missing(
    env,
    'REDIS_URL',
    'no variable says where Redis is: set REDIS_URL=redis://host:6379, or REDIS_HOST, or REDIS_SENTINELS with REDIS_MASTER_NAME, or REDIS_CLUSTER_NODES',
  )
}

function standaloneOptions(read: Read, env: RedisEnv): RedisOptions {
  const url = read('REDIS_URL')
  const host = read('REDIS_HOST')
  if (url && host)
    throw invalidOption('REDIS_URL and REDIS_HOST are both set: leave one of them out')
  if (url) {
    const parsed = parseRedisUrl(url, 'REDIS_URL')
    const tls = tlsOf(read)
    if (tls !== undefined && tls !== parsed.isTls) {
      throw invalidOption(
        `REDIS_TLS is ${tls} but REDIS_URL begins with ${parsed.isTls ? 'rediss' : 'redis'}://: leave REDIS_TLS out`,
      )
    }
    return { url, ...credentials(read, parsed.credentials) }
  }
  if (!host) throw missing(env, 'REDIS_HOST', 'REDIS_MODE=standalone needs REDIS_URL or REDIS_HOST')
  return { url: urlOf(host, portOf(read), tlsOf(read)), ...credentials(read) }
}

function sentinelOptions(read: Read, env: RedisEnv): RedisOptions {
  const sentinels = read('REDIS_SENTINELS')
  if (!sentinels) {
    throw missing(env, 'REDIS_SENTINELS', 'REDIS_MODE=sentinel needs REDIS_SENTINELS=host:port,…')
  }
  const masterName = read('REDIS_MASTER_NAME')
  if (!masterName) {
    throw missing(
      env,
      'REDIS_MASTER_NAME',
      'REDIS_SENTINELS needs REDIS_MASTER_NAME, what the sentinels call the master',
    )
  }
  const standalone = read('REDIS_STANDALONE')
  const sentinelPassword = read('REDIS_SENTINEL_PASSWORD')
  const tls = tlsOf(read)
  return {
    sentinels: endpoints(sentinels, 'REDIS_SENTINELS', SENTINEL_PORT),
    masterName,
    ...(standalone && { standalone: endpoints(standalone, 'REDIS_STANDALONE', REDIS_PORT) }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(tls !== undefined && { tls, sentinelTls: tls }),
    ...credentials(read),
  }
}

function clusterOptions(read: Read, env: RedisEnv): RedisOptions {
  const url = read('REDIS_URL')
  const name = read('REDIS_CLUSTER_NODES') ? 'REDIS_CLUSTER_NODES' : 'REDIS_HOST'
  const nodes = read(name)
  if (nodes) {
    const tls = tlsOf(read)
    const port = (name === 'REDIS_HOST' && portOf(read)) || REDIS_PORT
    return {
      cluster: endpoints(nodes, name, port),
      ...(tls !== undefined && { tls }),
      ...credentials(read),
    }
  }
  if (!url) {
    throw missing(
      env,
      'REDIS_CLUSTER_NODES',
      'REDIS_MODE=cluster needs REDIS_CLUSTER_NODES=host:port,… or REDIS_URL',
    )
  }
  const parsed = parseRedisUrl(url, 'REDIS_URL')
  if (parsed.db) throw invalidOption('REDIS_URL names a database, but a Redis Cluster has only 0')
  return {
    cluster: [parsed.endpoint],
    tls: parsed.isTls,
    ...parsed.credentials,
    ...credentials(read, parsed.credentials),
  }
}

function credentials(
  read: Read,
  inUrl: { username?: string; password?: string } = {},
): { username?: string; password?: string } {
  const username = read('REDIS_USERNAME')
  const password = read('REDIS_PASSWORD')
  const twice =
    username && inUrl.username
      ? 'REDIS_USERNAME'
      : password && inUrl.password
        ? 'REDIS_PASSWORD'
        : undefined
  if (twice) throw invalidOption(`${twice} is set and REDIS_URL has one too: give it once`)
  if (username && !password && !inUrl.password) {
    throw invalidOption('REDIS_USERNAME is set but REDIS_PASSWORD is not')
  }
  return { ...(username && { username }), ...(password && { password }) }
}

function endpoints(list: string, name: Variable, defaultPort: number): RedisEndpoint[] {
  const parts = list.split(',').map((part) => part.trim())
  // A comma at the end is what a template leaves behind.
  if (parts.at(-1) === '') parts.pop()
  return parts.map((part, at) =>
    parseEndpoint(
      part,
      parts.length > 1 ? `${name} (${at + 1} of ${parts.length})` : name,
      defaultPort,
    ),
  )
}

function portOf(read: Read): number | undefined {
  const text = read('REDIS_PORT')
  if (text === undefined) return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw invalidOption(
    text.startsWith('tcp://')
      ? 'REDIS_PORT was set by Kubernetes for a service named redis; set it yourself, or enableServiceLinks: false'
      : 'REDIS_PORT must be a whole number from 1 to 65535',
  )
}

function urlOf(host: string, port: number | undefined, tls: boolean | undefined): string {
  const isAddress = host.split(':').length > 2 && !host.startsWith('[')
  const endpoint = parseEndpoint(isAddress ? { host } : host, 'REDIS_HOST', port ?? REDIS_PORT)
  if (port !== undefined && endpoint.port !== port) {
    throw invalidOption('REDIS_HOST has a port that is not REDIS_PORT: give it once')
  }
  const name = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `${tls ? 'rediss' : 'redis'}://${name}:${endpoint.port}`
}

function tlsOf(read: Read): boolean | undefined {
  const text = read('REDIS_TLS')?.toLowerCase()
  if (text === undefined) return undefined
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw invalidOption('REDIS_TLS must be true, false, 1 or 0')
}

/** What is missing, and which variable that is set may have been meant. */
function missing(env: RedisEnv, needed: Variable, message: string) {
  const others = Object.keys(env).filter(
    (name) => /^redis/i.test(name) && !VARIABLES.includes(name as Variable),
  )
  const meant = nearestName(needed, others)
  return invalidOption(meant ? `${message}; ${meant} is set: was ${needed} meant?` : message)
}
