import { STAMPS } from '../../adapters/redis/key-space.ts'
import { parseRecord } from '../../adapters/redis/record.ts'
import { READ, type Script, WRITE } from '../../adapters/redis/scripts.ts'
import type { Argument, Reply } from '../../adapters/redis/transport.ts'
import { milliseconds } from '../text.ts'
import { refusalOf, userOf } from './check-permissions.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import { type CanaryKeys, canaryKeys, type Patient } from './patient.ts'
import { percentile } from './percentile.ts'

const LEASE_MS = 5000
const ENTRY_MS = 10_000
const ROUNDS = 50
const EPOCH = 1
const WITHOUT =
  'Without scripts there are no leases (each process calls the origin by itself), nothing is atomic, and other processes are not told of changes: they see them when their L1 copy ends.'

/** A lease, a commit and a read of the result, by the scripts of the cache. */
export async function checkScripts(patient: Patient): Promise<readonly Finding[]> {
  const { connection, space, world } = patient
  const keys = canaryKeys(space)
  const loaded = await connection.ask('SCRIPT', 'LOAD', READ.source)
  const first = await run(patient, READ, readKeys(keys), readArguments('always'))
  const refusal = refusalOf(first)
  if (refusal) return [withoutScripts(refusal, patient)]
  const now = Array.isArray(first) ? Number(first[2]) : Number.NaN
  if (!Array.isArray(first) || Number.isNaN(now)) return [unexpected(first)]
  const written = await run(patient, WRITE, [keys.sequence, keys.entry, keys.lease], commit(now))
  if (!Array.isArray(written)) return [unexpected(written)]
  const found = await run(patient, READ, readKeys(keys), readArguments(''))
  const record = Array.isArray(found) && Buffer.isBuffer(found[3]) ? parseRecord(found[3]) : null
  if (record?.version !== Number(written[0])) return [unexpected(found)]
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const from = world.clock.now()
    await connection.ask(...call(READ, readKeys(keys), readArguments(''), true))
    times.push(world.clock.now() - from)
  }
  const optional = refusalOf(loaded) ? '; without SCRIPT LOAD, which is not needed' : ''
  const text = `lease, commit and read work; a read takes ${milliseconds(percentile(times, 0.5))}${optional}`
  return [ok('scripts', text)]
}

function readKeys(keys: CanaryKeys): readonly string[] {
  return [keys.sequence, keys.entry, keys.lease]
}

function readArguments(when: '' | 'always'): readonly Argument[] {
  return [EPOCH, 1, 0, when, 'doctor', LEASE_MS, 0, '']
}

function commit(now: number): readonly Argument[] {
  const until = now + ENTRY_MS
  return [EPOCH, 'doctor', EPOCH, 0, until, until, 'canary', '', '', '', '', STAMPS]
}

function call(
  { sha, source }: Script,
  keys: readonly string[],
  args: readonly Argument[],
  bySha: boolean,
): readonly Argument[] {
  return [bySha ? 'EVALSHA' : 'EVAL', bySha ? sha : source, keys.length, ...keys, ...args]
}

/** As the library does it: by its digest, else in full. */
async function run(
  { connection }: Patient,
  script: Script,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<Reply> {
  const reply = await connection.ask(...call(script, keys, args, true))
  if (!(reply instanceof Error && reply.message.startsWith('NOSCRIPT'))) return reply
  return connection.ask(...call(script, keys, args, false))
}

function withoutScripts(refusal: string, patient: Patient): Finding {
  if (refusal === 'absent') {
    return warning(
      'scripts',
      'This server runs no scripts (EVAL is missing)',
      WITHOUT,
      "Set coherence: 'ttl-only' so that L1 copies are short, or use a server that runs scripts.",
    )
  }
  return problem(
    'scripts',
    `The user ${userOf(patient.settings)} may not run scripts (eval, evalsha)`,
    WITHOUT,
    `ACL SETUSER ${userOf(patient.settings)} +eval +evalsha +script|load`,
  )
}

function unexpected(reply: Reply): Finding {
  const kind =
    reply instanceof Error ? (/^\S+/.exec(reply.message)?.[0] ?? 'ERR') : 'a wrong result'
  return problem(
    'scripts',
    `The scripts of the cache do not work here (${kind})`,
    WITHOUT,
    'Check that this is a Redis or Valkey server, 6.0 or later, and what its log says.',
  )
}
