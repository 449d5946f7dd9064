import type { Settings } from '../../adapters/redis/ioredis/settings.ts'
import type { Command, Reply } from '../../adapters/redis/transport.ts'
import { kindOfReply } from '../wire/fault.ts'
import { type Finding, ok, problem } from './finding.ts'
import { canaryKeys, type Patient } from './patient.ts'

/** So that nothing stays where deleting is not allowed. */
const CANARY_MS = 60_000

export interface Permissions {
  readonly findings: readonly Finding[]
  /** Whether it makes sense to go on with what writes. */
  readonly canWrite: boolean
}

/** Tries every command of the cache, each with keys of its own: nothing else tells for sure. */
export async function checkPermissions(patient: Patient): Promise<Permissions> {
  const commands = commandsOf(patient)
  const replies = await patient.connection.all(commands)
  const errors = replies.flatMap((reply, at) =>
    reply instanceof Error ? [{ name: String(commands[at]?.[0]).toLowerCase(), error: reply }] : [],
  )
  const refused = errors.filter(({ error }) => refusalOf(error) === 'command')
  const findings = [
    missingCommands(
      refused.map(({ name }) => name),
      patient,
    ),
    errors.some(({ error }) => refusalOf(error) === 'key') ? keysRefused(patient) : undefined,
    writesRefused(errors.map(({ error }) => error)),
  ].filter((finding) => finding !== undefined)
  if (findings.length > 0) return { findings, canWrite: false }
  return {
    findings: [
      ok(
        'permissions',
        `${new Set(commands.map(([name]) => name)).size} commands on keys ${patient.settings.prefix}:*`,
      ),
    ],
    canWrite: true,
  }
}

function commandsOf({ space }: Patient): readonly Command[] {
  const { sequence, entry, lease, stamp } = canaryKeys(space)
  return [
    ['TIME'],
    ['SET', entry, 'canary', 'PX', CANARY_MS],
    ['GET', entry],
    ['EXISTS', entry],
    ['MGET', entry, stamp],
    ['PTTL', entry],
    ['PERSIST', entry],
    ['PEXPIRE', entry, CANARY_MS],
    ['HSET', lease, 't', 'canary'],
    ['HSETNX', lease, 'u', 0],
    ['HINCRBY', lease, 'f', 1],
    ['HGET', lease, 'f'],
    ['HMGET', lease, 't', 'u'],
    ['HDEL', lease, 't'],
    ['PEXPIRE', lease, CANARY_MS],
    ['UNLINK', lease],
    ['DEL', sequence, entry, stamp],
  ]
}

/** What an ACL refuses, or a provider has taken out. */
export function refusalOf(reply: Reply): 'command' | 'key' | 'channel' | 'absent' | undefined {
  if (!(reply instanceof Error)) return undefined
  if (/^ERR unknown (sub)?command/i.test(reply.message)) return 'absent'
  if (kindOfReply(reply) !== 'NOPERM') return undefined
  if (/\brun\b/.test(reply.message)) return 'command'
  return /channel/.test(reply.message) ? 'channel' : 'key'
}

export function userOf({ credentials }: Settings): string {
  return credentials.username ?? 'default'
}

function missingCommands(names: readonly string[], patient: Patient): Finding | undefined {
  if (names.length === 0) return undefined
  const missing = [...new Set(names)]
  return problem(
    'permissions',
    `The user ${userOf(patient.settings)} may not run ${missing.join(', ')}`,
    'The cache needs these for every entry: it cannot use this server.',
    `ACL SETUSER ${userOf(patient.settings)} ${missing.map((name) => `+${name}`).join(' ')}`,
  )
}

function keysRefused(patient: Patient): Finding {
  const { prefix } = patient.settings
  return problem(
    'permissions',
    `The user ${userOf(patient.settings)} may not use keys that begin with ${prefix}:`,
    'All keys of the cache do: it cannot use this server.',
    `ACL SETUSER ${userOf(patient.settings)} ~${prefix}:*, or set prefix to what the user may use.`,
  )
}

const REFUSED: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  OOM: ['memory is full (OOM)', 'Raise maxmemory, or CONFIG SET maxmemory-policy volatile-lru.'],
  MISCONF: [
    'it could not save its data to disk (MISCONF)',
    'Make room on the disk; for a cache alone: CONFIG SET stop-writes-on-bgsave-error no.',
  ],
  NOREPLICAS: [
    'too few replicas are connected (NOREPLICAS)',
    'Bring the replicas back, or CONFIG SET min-replicas-to-write 0.',
  ],
  READONLY: [
    'it is a replica (READONLY)',
    'Give the address of the master, or sentinels that know it.',
  ],
  CLUSTERDOWN: ['the cluster is down (CLUSTERDOWN)', 'See the state of the cluster.'],
}

function writesRefused(errors: readonly Error[]): Finding | undefined {
  const kinds = errors.filter((error) => !refusalOf(error)).map(kindOfReply)
  const kind = kinds.find((one) => REFUSED[one]) ?? kinds[0]
  if (kind === undefined) return undefined
  const [what, fix] = REFUSED[kind] ?? [`it answers ${kind}`, 'See the log of the server.']
  return problem(
    'writes',
    `The server takes no writes: ${what}`,
    'Nothing is cached, and invalidations do not reach other processes.',
    fix,
  )
}
