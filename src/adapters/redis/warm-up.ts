import type { Position } from '../../contracts/store.ts'
import type { Announcer } from './announcer.ts'
import { parseScriptReply } from './part-reads.ts'
import type { Parts } from './parts.ts'
import { positionPlainly, resetPlainly } from './plain-sequence.ts'
import { listOf, numberOf, positionOf, timeOf } from './replies.ts'
import {
  DELETE,
  LEASE,
  READ,
  RELEASE,
  RENEW,
  RESET,
  type Script,
  STAMP_TAGS,
  TOUCH,
  WRITE,
} from './scripts.ts'
import { ofAnotherPast, refusesScripts } from './session-errors.ts'

/** What was found out of a server before it is used. */
export interface Warm {
  readonly scripts: boolean
  /** Where the parts stand; without those that could not be asked, or have no sequence. */
  readonly positions: ReadonlyMap<number, Position>
  /** The server's time. */
  readonly now: number
}

interface WarmUp {
  readonly parts: Parts
  readonly announcer: Announcer
  /** What is there is of another past: no part may be believed before it has a new epoch. */
  readonly mustReset: boolean
  readonly readOnly: boolean
}

/** Those a node is given at the start, so that not even the first of each takes two round trips. */
const SCRIPTS: readonly Script[] = [
  READ,
  LEASE,
  RESET,
  WRITE,
  DELETE,
  STAMP_TAGS,
  RENEW,
  RELEASE,
  TOUCH,
]

type Asked = { readonly position: Position; readonly now: number } | { readonly error: unknown }

/**
 * One pipeline per node: new epochs where they are due, then a script that does nothing but say where
 * its part stands, which also proves that scripts may be run.
 * @throws where the server cannot be used: no answer of the stamps, or an epoch that could not be made
 */
export async function warmUp(world: WarmUp): Promise<Warm> {
  const { parts, readOnly } = world
  if (readOnly) {
    if (world.mustReset) throw ofAnotherPast()
    return look(parts)
  }
  const { partitions } = parts.space
  loadScripts(parts)
  const resets = world.mustReset ? partitions.map((partition) => reset(world, partition)) : []
  const asked = partitions.map((partition) => ask(parts, partition))
  const [made, answers] = await Promise.all([outcomeOf(Promise.all(resets)), Promise.all(asked)])
  const base = answers.at(-1) as Asked
  if ('error' in base) {
    if (refusesScripts(base.error)) return warmUpPlainly(world)
    throw base.error
  }
  if ('error' in made) throw made.error
  const positions = new Map<number, Position>()
  partitions.forEach((partition, at) => {
    const answer = answers[at] as Asked
    const epoch = made.value[at]
    if (epoch !== undefined) positions.set(partition, { epoch, sequence: 0 })
    else if (!('error' in answer)) positions.set(partition, answer.position)
  })
  return { scripts: true, positions, now: base.now }
}

/** The new epoch. */
async function reset({ parts, announcer }: WarmUp, partition: number): Promise<number> {
  const told = announcer.say('x', partition, '')
  const names = [parts.space.sequence(partition)]
  return numberOf(await parts.script(partition, RESET, names, [parts.newEpoch(), ...told]))
}

async function outcomeOf<T>(
  promise: Promise<T>,
): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await promise }
  } catch (error) {
    return { error }
  }
}

async function ask(parts: Parts, partition: number): Promise<Asked> {
  try {
    const names = [parts.space.sequence(partition)]
    const args = [parts.newEpoch(), 0, 0, '', '', 0, 0]
    const reply = await parts.script(partition, READ, names, args)
    return parseScriptReply(listOf(reply), 0, 0)
  } catch (error) {
    return { error }
  }
}

/** Whether it may be done or not: what a node was not given, it asks for. */
function loadScripts(parts: Parts): void {
  const nodes = new Map(parts.space.partitions.map((one) => [parts.nodeOf(one), one]))
  for (const partition of nodes.values()) {
    for (const { source } of SCRIPTS) {
      parts.run(partition, ['SCRIPT', 'LOAD', source]).catch(() => {})
    }
  }
}

async function warmUpPlainly({ parts, mustReset }: WarmUp): Promise<Warm> {
  const { partitions } = parts.space
  if (mustReset) await Promise.all(partitions.map((one) => resetPlainly(parts, one)))
  const [now, ...found] = await Promise.all([
    parts.run(parts.stamps, ['TIME']).then(timeOf),
    ...partitions.map((one) => positionPlainly(parts, one)),
  ])
  return {
    scripts: false,
    positions: new Map(partitions.map((partition, at) => [partition, found[at] as Position])),
    now,
  }
}

/** Without changing anything. */
async function look(parts: Parts): Promise<Warm> {
  const [now, positions] = await Promise.all([
    parts.run(parts.stamps, ['TIME']).then(timeOf),
    findPositions(parts),
  ])
  const known = [...positions].filter((one): one is [number, Position] => one[1] !== undefined)
  return { scripts: true, positions: new Map(known), now }
}

/** Where all parts stand, `undefined` for a sequence that is missing. Never rejects. */
export async function findPositions(parts: Parts): Promise<Map<number, Position | undefined>> {
  const positions = new Map<number, Position | undefined>()
  await Promise.all(
    parts.space.partitions.map(async (partition) => {
      try {
        const name = parts.space.sequence(partition)
        positions.set(partition, positionOf(await parts.run(partition, ['HMGET', name, 'e', 'n'])))
      } catch {
        // Left out: what cannot be asked says nothing.
      }
    }),
  )
  return positions
}
