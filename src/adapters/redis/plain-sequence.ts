import type { Position } from '../../contracts/store.ts'
import type { PartRequest, PlainReply } from './part-reads.ts'
import type { Parts } from './parts.ts'
import { numberOf, positionOf } from './replies.ts'
import { STAMP_MS } from './scripts.ts'
import { notServing } from './session-errors.ts'
import type { Argument } from './transport.ts'

// What the scripts do to sequences, for servers that run none: each step by itself, so that two
// sessions may overtake each other in between.

/** Where a part stands; a sequence that is missing begins anew. */
export async function positionPlainly(parts: Parts, partition: number): Promise<Position> {
  const name = parts.space.sequence(partition)
  const find = (): Promise<Position | undefined> =>
    parts.run(partition, ['HMGET', name, 'e', 'n']).then(positionOf)
  const found = await find()
  if (found) return found
  // Whoever comes first: the others take what is there then.
  await Promise.all([
    parts.run(partition, ['HSETNX', name, 'e', parts.newEpoch()]),
    parts.run(partition, ['HSETNX', name, 'n', 0]),
  ])
  const made = await find()
  if (!made) throw notServing()
  return made
}

export async function countPlainly(parts: Parts, partition: number): Promise<number> {
  return numberOf(await parts.run(partition, ['HINCRBY', parts.space.sequence(partition), 'n', 1]))
}

/** A new epoch. Not atomic: nobody trusts this part before it is done. */
export async function resetPlainly(parts: Parts, partition: number): Promise<void> {
  const name = parts.space.sequence(partition)
  await Promise.all([
    parts.run(partition, ['DEL', name]),
    parts.run(partition, ['HSET', name, 'e', parts.newEpoch(), 'n', 0]),
  ])
}

/** What a load needs and a plain read did not find: the sequence, and stamps at its present number. */
export async function completePlainly(
  parts: Parts,
  { partition, tags }: PartRequest,
  plain: PlainReply,
): Promise<PlainReply> {
  const position = plain.position ?? (await positionPlainly(parts, partition))
  const { epoch, sequence } = position
  const missing = tags.filter((_, at) => !plain.stamps[at])
  await Promise.all(missing.map((tag) => putStampPlainly(parts, tag, epoch, sequence, sequence)))
  return { ...plain, position }
}

export async function putStampPlainly(
  parts: Parts,
  tag: string,
  epoch: number,
  hard: number,
  soft: number,
  life: readonly Argument[] = ['PX', STAMP_MS],
): Promise<void> {
  const text = `${epoch} ${hard} ${soft}`
  await parts.run(parts.stamps, ['SET', parts.space.stamp(tag), text, ...life])
}
