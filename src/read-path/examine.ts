import type { StoredRecord } from '../contracts/store.ts'
import { andThen, type MaybeLater } from '../kernel/maybe-later.ts'
import { decodeRecord } from './decode-record.ts'
import type { Found } from './found.ts'
import { expire } from './freshness.ts'
import { compareHead, type KnownCopy } from './known-copy.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'
import type { TaggedReply } from './standing.ts'

/** The record at a place of a reply, for one key. */
export interface Examined {
  readonly storeKey: string
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
export function examine(
  region: Region,
  examined: Examined,
): MaybeLater<Found | 'silent' | undefined> {
  const { asked, copy, index, record, storeKey } = examined
  if (!copy) return decoded(region, examined)
  const head = compareHead(region, storeKey, copy, record, index, asked)
  return andThen(head, (told): MaybeLater<Found | 'silent' | undefined> => {
    if (told === undefined) return decoded(region, examined)
    if (told === 'dead') return undefined
    if (told === 'unknown') return readWhole(region, examined)
    return usable(region, examined.policy, { ...told, isCopy: true })
  })
}

async function readWhole(
  region: Region,
  examined: Examined,
): Promise<Found | 'silent' | undefined> {
  const { asked, storeKey } = examined
  const { sequence } = region.core.stamps
  const { tags, until } = asked
  const reply = await region.core.remote?.read({ keys: [storeKey], tags }, until)
  if (!reply) return 'silent'
  const [whole] = reply.records
  if (!whole) return undefined
  const again = { ...examined, record: whole, index: 0, asked: { reply, tags, until } }
  // What was invalidated before the first reply still counts against whoever asked for that.
  return decoded(region, { ...again, sequence: Math.min(sequence, examined.sequence) })
}

function decoded(region: Region, examined: Examined): MaybeLater<Found | undefined> {
  const { policy, record, index, asked, sequence, storeKey } = examined
  return andThen(
    decodeRecord(region, storeKey, policy, record, index, asked, sequence),
    (found) => {
      if (!found) return undefined
      const { entry, tags, expired } = found
      return usable(region, policy, {
        entry,
        tags,
        expired,
        freshUntil: entry.freshUntil,
        isCopy: false,
      })
    },
  )
}

interface Standing extends Omit<Found, 'fresh'> {
  readonly expired: boolean
}

function usable(region: Region, policy: Policy, standing: Standing): Found | undefined {
  const { entry, tags, isCopy, expired } = standing
  const now = region.core.clock.now()
  if (expired) expire(entry, now)
  const freshUntil = expired ? Math.min(entry.freshUntil, standing.freshUntil) : standing.freshUntil
  const fresh = now < freshUntil
  if (!fresh && now >= freshUntil + policy.graceMs) return undefined
  return { entry, tags, isCopy, freshUntil, fresh }
}
