import { kindOf, shown } from '../../../kernel/duration.ts'
import { checkChoice, invalidOption } from '../../../kernel/options.ts'
import { checkSecret, checkTls } from './check-values.ts'
import {
  parseEndpoint,
  parseEndpoints,
  REDIS_PORT,
  type RedisUrl,
  SENTINEL_PORT,
} from './endpoints.ts'
import type { Target } from './settings.ts'

const TARGETS = ['url', 'sentinels', 'cluster', 'client'] as const
export type TargetName = (typeof TARGETS)[number]

const WITH_SENTINELS = [
  'masterName',
  'standalone',
  'fallback',
  'sentinelUsername',
  'sentinelPassword',
  'sentinelTls',
] as const

/** Which of the ways to say where Redis is was taken. */
export function targetName(options: Record<string, unknown>): TargetName {
  const given = TARGETS.filter((name) => options[name] !== undefined)
  if (given.length > 1) {
    throw invalidOption(`redis() takes one of ${TARGETS.join(', ')}; got ${given.join(' and ')}`)
  }
  const target = given[0]
  if (!target) {
    throw invalidOption(
      "redis() must be told where Redis is: url: 'redis://host:6379', or sentinels with masterName, or cluster, or client",
    )
  }
  const stray = WITH_SENTINELS.find((name) => options[name] !== undefined)
  if (stray && target !== 'sentinels') {
    throw invalidOption(`${stray} means something only beside sentinels; got it beside ${target}`)
  }
  return target
}

export function checkTarget(
  options: Record<string, unknown>,
  target: TargetName,
  url: RedisUrl | undefined,
): Target {
  if (target === 'sentinels') return checkSentinels(options)
  if (target === 'cluster') {
    return { kind: 'cluster', nodes: parseEndpoints(options.cluster, 'cluster', REDIS_PORT) }
  }
  if (target === 'client') return { kind: 'client', client: checkClient(options.client) }
  return { kind: 'standalone', endpoint: (url as RedisUrl).endpoint }
}

function checkSentinels(options: Record<string, unknown>): Target {
  const { masterName } = options
  if (typeof masterName !== 'string' || masterName.trim() === '') {
    throw invalidOption(
      `masterName must be what the sentinels call the master (sentinel.conf: "sentinel monitor <name> …"), got ${shown(masterName)}`,
    )
  }
  checkChoice(options.fallback, ['read-write', 'read-only', 'off'], 'fallback')
  const fallback = (options.fallback ?? 'read-write') as 'read-write' | 'read-only' | 'off'
  const username = checkSecret(options.sentinelUsername, 'sentinelUsername')
  const password = checkSecret(options.sentinelPassword, 'sentinelPassword')
  if (username && !password) {
    throw invalidOption('sentinelUsername is set but sentinelPassword is not')
  }
  const standalone = checkStandalone(options.standalone)
  if (fallback === 'off' && standalone.length > 0) {
    throw invalidOption("standalone is never used with fallback: 'off'; leave one of them out")
  }
  const tls = checkTls(options.sentinelTls, 'sentinelTls')
  return {
    kind: 'sentinel',
    sentinels: parseEndpoints(options.sentinels, 'sentinels', SENTINEL_PORT),
    masterName,
    standalone,
    fallback,
    sentinelCredentials: { ...(username && { username }), ...(password && { password }) },
    ...(tls && { sentinelTls: tls }),
  }
}

function checkStandalone(value: unknown) {
  if (value === undefined) return []
  return Array.isArray(value)
    ? parseEndpoints(value, 'standalone', REDIS_PORT)
    : [parseEndpoint(value, 'standalone', REDIS_PORT)]
}

/** By what is used of it: a client of another copy or version of ioredis is no instance of ours. */
function checkClient(value: unknown): unknown {
  const client = value as Record<string, unknown> | null
  const isClient =
    typeof client === 'object' &&
    client !== null &&
    typeof client.status === 'string' &&
    ['sendCommand', 'duplicate', 'on', 'connect'].every(
      (name) => typeof client[name] === 'function',
    )
  if (isClient) return client
  throw invalidOption(
    `client must be a Redis or Cluster of ioredis 5.9 or later, got ${typeof client === 'object' ? 'something else' : kindOf(client)}`,
  )
}
