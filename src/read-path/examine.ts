import type { StoredRecord } from '../contracts/store.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { decodeRecord } from './decode-record.ts'
import type { Found } from './found.ts'
import { expire } from './freshness.ts'
import { compareHead, type KnownCopy } from './known-copy.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'
import type { TaggedReply } from './standing.ts'

/** The record at a place of a reply, for one key. */
export interface Examined {
  readonly key: LocalKey
  readonly policy: Policy
  readonly record: StoredRecord
  readonly index: number
  readonly asked: TaggedReply
  /** The local sequence when L2 was asked. */
  readonly sequence: number
  /** What L1 had then. */
  readonly copy: KnownCopy | undefined
}

/**
 * What a record of L2 is good for: `undefined` for anything that is not to be believed, or past its
 * grace. The copy in L1 is compared by the head of the record; where that does not tell, the record
 * is read in full. `silent`: L2 did not answer that.
 */
export async function examine(
  region: Region,
  examined: Examined,
): Promise<Found | 'silent' | undefined> {
  const { asked, copy, index, key, record } = examined
  const { remote } = region.core
  if (!copy || !remote) return decoded(region, examined)
  const storeKey = region.storeKey(key)
  const head = await compareHead(region, storeKey, copy, record, index, asked)
  if (head === undefined) return decoded(region, examined)
  if (head === 'dead') return undefined
  if (head !== 'unknown') return usable(region, examined.policy, { ...head, isCopy: true })
  const { sequence } = region.core.stamps
  const { tags, until } = asked
  const reply = await remote.read({ keys: [storeKey], tags }, until)
  if (!reply) return 'silent'
  const [whole] = reply.records
  if (!whole) return undefined
  const again = { ...examined, record: whole, index: 0, asked: { reply, tags, until } }
  // What was invalidated before the first reply still counts against whoever asked for that.
  return decoded(region, { ...again, sequence: Math.min(sequence, examined.sequence) })
}

async function decoded(region: Region, examined: Examined): Promise<Found | undefined> {
  const { key, policy, record, index, asked, sequence } = examined
  const found = await decodeRecord(region, key, policy, record, index, asked, sequence)
  if (!found) return undefined
  const { freshUntil } = found.entry
  return usable(region, policy, { ...found, freshUntil, isCopy: false })
}

interface Standing extends Omit<Found, 'fresh'> {
  readonly expired: boolean
}

function usable(region: Region, policy: Policy, standing: Standing): Found | undefined {
  const { entry, tags, isCopy, expired } = standing
  const now = region.core.clock.now()
  if (expired) expire(entry, now)
  const freshUntil = expired ? Math.min(entry.freshUntil, standing.freshUntil) : standing.freshUntil
  const found = { entry, tags, isCopy, freshUntil }
  if (now < freshUntil) return { ...found, fresh: true }
  return now < freshUntil + policy.graceMs ? { ...found, fresh: false } : undefined
}
