import { readFileSync } from 'node:fs'
import { checkRedisOptions } from '../adapters/redis/ioredis/check-redis-options.ts'
import { optionsFromEnv } from '../adapters/redis/ioredis/env-options.ts'
import type { RedisOptions } from '../adapters/redis/ioredis/redis-options.ts'
import type { Settings } from '../adapters/redis/ioredis/settings.ts'
import { invalidOption } from '../kernel/options.ts'
import type { CliWorld } from './cli-world.ts'
import type { CommandLine, OptionTable } from './command-line.ts'

export const CONNECT_OPTIONS = {
  sentinels: 'text',
  'master-name': 'text',
  standalone: 'text',
  cluster: 'text',
  username: 'text',
  password: 'text',
  'password-stdin': 'flag',
  'sentinel-username': 'text',
  'sentinel-password': 'text',
  tls: 'flag',
  'tls-ca': 'text',
  'tls-servername': 'text',
  'sentinel-tls': 'flag',
  db: 'text',
  prefix: 'text',
  timeout: 'text',
} as const satisfies OptionTable

/**
 * Where Redis is and how it is reached: what the command line says, else what REDIS_* say.
 * @throws ERR_INVALID_OPTION, never with a value that may be secret
 */
export async function connectSettings(
  line: CommandLine,
  url: string | undefined,
  world: CliWorld,
): Promise<Settings> {
  const named = targetOf(line, url)
  const base = named ? { ...named, ...secretsFromEnv(named, line, world) } : fromEnv(world)
  const stdin = line.flag('password-stdin') ? await passwordFromStdin(line, world) : undefined
  const password = stdin ?? line.text('password')
  const options = {
    ...base,
    ...(line.text('username') && { username: line.text('username') }),
    ...(password && { password }),
    ...sentinelOptions(line),
    ...numbersAndNames(line),
    ...tlsOptions(line, base),
  }
  return checkRedisOptions(options)
}

function fromEnv({ env }: CliWorld): RedisOptions {
  try {
    return optionsFromEnv(env)
  } catch (error) {
    const says = (error as Error).message
    if (!says.startsWith('no variable says')) throw error
    throw invalidOption(
      'say where Redis is: a url such as redis://host:6379, --sentinels host:port,… with --master-name, --cluster host:port,…, or set REDIS_URL',
    )
  }
}

function targetOf(line: CommandLine, url: string | undefined): RedisOptions | undefined {
  const sentinels = line.text('sentinels')
  const cluster = line.text('cluster')
  const given = [
    ...(url === undefined ? [] : ['a url']),
    ...(sentinels ? ['--sentinels'] : []),
    ...(cluster ? ['--cluster'] : []),
  ]
  if (given.length > 1) throw invalidOption(`give one of ${given.join(' and ')}, not both`)
  const masterName = line.text('master-name')
  if (sentinels) {
    if (!masterName) {
      throw invalidOption('--sentinels needs --master-name, what the sentinels call the master')
    }
    const standalone = line.text('standalone')
    return {
      sentinels: listOf(sentinels),
      masterName,
      ...(standalone && { standalone: listOf(standalone) }),
    }
  }
  // Without --sentinels they may stand in the environment.
  if (masterName && given.length > 0) {
    throw invalidOption('--master-name means something only with --sentinels')
  }
  if (cluster) return { cluster: listOf(cluster) }
  return url === undefined ? undefined : { url: withScheme(url, line) }
}

/** `host:port` is what people type first. */
function withScheme(url: string, line: CommandLine): string {
  if (url.includes('://') || url.includes('@')) return url
  const isTls = line.flag('tls') || line.text('tls-ca') !== undefined
  return `${isTls ? 'rediss' : 'redis'}://${url}`
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

/** Secrets need not stand on the command line, where every user of the machine can read them. */
function secretsFromEnv(
  { url, sentinels }: RedisOptions,
  line: CommandLine,
  { env }: CliWorld,
): RedisOptions {
  const isInUrl = url !== undefined && /^[^/]*\/\/[^/]*@/.test(url)
  const isGiven = line.text('password') !== undefined || line.flag('password-stdin')
  const username = isInUrl || isGiven ? undefined : env.REDIS_USERNAME?.trim()
  const password = isInUrl || isGiven ? undefined : env.REDIS_PASSWORD?.trim()
  const sentinelPassword = sentinels && env.REDIS_SENTINEL_PASSWORD?.trim()
  return {
    ...(username && password && { username }),
    ...(password && { password }),
    ...(sentinelPassword && { sentinelPassword }),
  }
}

async function passwordFromStdin(line: CommandLine, world: CliWorld): Promise<string> {
  if (line.text('password') !== undefined) {
    throw invalidOption('give one of --password and --password-stdin, not both')
  }
  const password = (await world.readStdin()).replace(/\r?\n$/, '')
  if (password === '') throw invalidOption('--password-stdin got nothing on standard input')
  return password
}

function sentinelOptions(line: CommandLine): RedisOptions {
  const sentinelUsername = line.text('sentinel-username')
  const sentinelPassword = line.text('sentinel-password')
  return {
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
    ...(line.flag('sentinel-tls') && { sentinelTls: tlsMembers(line) }),
  }
}

function numbersAndNames(line: CommandLine): RedisOptions {
  const db = line.text('db')
  if (db !== undefined && !/^\d{1,5}$/.test(db)) {
    throw invalidOption('--db must be the number of a database')
  }
  const timeout = line.text('timeout')
  const prefix = line.text('prefix')
  return {
    ...(db !== undefined && { db: Number(db) }),
    ...(prefix && { prefix }),
    ...(timeout && { timeout: /^\d+$/.test(timeout) ? Number(timeout) : (timeout as never) }),
  }
}

function tlsOptions(line: CommandLine, base: RedisOptions): RedisOptions {
  const members = tlsMembers(line)
  const isWanted = line.flag('tls') || Object.keys(members).length > 0
  if (!isWanted) return {}
  if (base.url?.startsWith('redis://')) {
    throw invalidOption('TLS is asked for, but the url begins with redis://: write rediss://')
  }
  const isForAll = base.sentinelTls !== undefined && base.sentinelTls !== false
  return { tls: members, ...(isForAll && { sentinelTls: members }) }
}

function tlsMembers(line: CommandLine): { ca?: Buffer; servername?: string } {
  const file = line.text('tls-ca')
  const servername = line.text('tls-servername')
  return { ...(file && { ca: readAuthority(file) }), ...(servername && { servername }) }
}

function readAuthority(file: string): Buffer {
  let text: Buffer
  try {
    text = readFileSync(file)
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw invalidOption(`--tls-ca names a file that cannot be read (${code})`)
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw invalidOption('--tls-ca must name a PEM file: it has no -----BEGIN CERTIFICATE----- in it')
}
