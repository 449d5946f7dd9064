import type { ReadReply } from '../contracts/store.ts'
import { andThen, type MaybeLater } from '../kernel/maybe-later.ts'
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
export function standingOf(
  region: Region,
  storeKey: string,
  { epoch, stampSequence, tags }: Stamped,
  asked: TaggedReply,
): MaybeLater<'dead' | 'expired' | 'good'> {
  const { remote } = region.core
  if (!remote || epoch !== asked.reply.epoch) return 'dead'
  const all = allTags(region, tags)
  const doubt = remote.doubts(storeKey, all)
  if (doubt === 'hard') return 'dead'
  return andThen(stampsOf(region, all, asked), (stamps) => {
    if (!stamps || stamps.hard > stampSequence) return 'dead'
    return doubt === 'soft' || stamps.soft > stampSequence ? 'expired' : 'good'
  })
}

/** Entries carry those of the region as stored, too: mostly there is nothing to add. */
function allTags({ scopeTags }: Region, tags: readonly string[]): readonly string[] {
  if (scopeTags.every((tag) => tags.includes(tag))) return tags
  return [...new Set([...tags, ...scopeTags])]
}

/** The newest stamps of an entry's tags; those the reply does not have are asked for. */
function stampsOf(
  region: Region,
  tags: readonly string[],
  asked: TaggedReply,
): MaybeLater<{ hard: number; soft: number } | undefined> {
  const newest = { hard: 0, soft: 0 }
  const unknown: string[] = []
  for (const tag of tags) {
    const stamp = asked.reply.stamps[asked.tags.indexOf(tag)]
    if (!stamp) unknown.push(tag)
    else {
      newest.hard = Math.max(newest.hard, stamp.hard)
      newest.soft = Math.max(newest.soft, stamp.soft)
    }
  }
  return unknown.length === 0 ? newest : withUnknown(region, newest, unknown, asked)
}

async function withUnknown(
  region: Region,
  newest: { hard: number; soft: number },
  unknown: readonly string[],
  asked: TaggedReply,
): Promise<{ hard: number; soft: number } | undefined> {
  const more = await region.core.remote?.read({ keys: [], tags: unknown }, asked.until)
  if (!more || more.epoch !== asked.reply.epoch) return undefined
  for (const stamp of more.stamps) {
    newest.hard = Math.max(newest.hard, stamp.hard)
    newest.soft = Math.max(newest.soft, stamp.soft)
  }
  return newest
}
