import type { ReadReply } from '../contracts/store.ts'
import type { Region } from './region.ts'

/** A reply of L2, and the tags whose stamps were asked for with it. */
export interface TaggedReply {
  readonly reply: ReadReply
  readonly tags: readonly string[]
  /** Local time until which its caller waits for L2, this reply included. */
  readonly until: number
}

/** What the stamps decide about an entry of L2. */
interface Stamped {
  readonly epoch: number
  readonly stampSequence: number
  /** User tags as stored; those of the region come on top. */
  readonly tags: readonly string[]
}

/**
 * Whether an entry of L2 was invalidated: by what its stamps say, by an epoch that is over, or by
 * something done here that L2 may not have heard of. One rule for the whole entry and for its head.
 */
export async function standingOf(
  region: Region,
  storeKey: string,
  { epoch, stampSequence, tags }: Stamped,
  asked: TaggedReply,
): Promise<'dead' | 'expired' | 'good'> {
  const { remote } = region.core
  if (!remote || epoch !== asked.reply.epoch) return 'dead'
  const doubt = remote.doubts(storeKey, [...tags, ...region.scopeTags])
  if (doubt === 'hard') return 'dead'
  const stamps = await stampsOf(region, tags, asked)
  if (!stamps || stamps.hard > stampSequence) return 'dead'
  return doubt === 'soft' || stamps.soft > stampSequence ? 'expired' : 'good'
}

/** The newest stamps of an entry's tags; those the reply does not have are asked for. */
async function stampsOf(
  region: Region,
  tags: readonly string[],
  asked: TaggedReply,
): Promise<{ hard: number; soft: number } | undefined> {
  const newest = { hard: 0, soft: 0 }
  const unknown: string[] = []
  const all = new Set([...tags, ...region.scopeTags])
  for (const tag of all) {
    const stamp = asked.reply.stamps[asked.tags.indexOf(tag)]
    if (!stamp) unknown.push(tag)
    else {
      newest.hard = Math.max(newest.hard, stamp.hard)
      newest.soft = Math.max(newest.soft, stamp.soft)
    }
  }
  if (unknown.length === 0) return newest
  const more = await region.core.remote?.read({ keys: [], tags: unknown }, asked.until)
  if (!more || more.epoch !== asked.reply.epoch) return undefined
  for (const stamp of more.stamps) {
    newest.hard = Math.max(newest.hard, stamp.hard)
    newest.soft = Math.max(newest.soft, stamp.soft)
  }
  return newest
}
