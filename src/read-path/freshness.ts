import { ENTRY_ERROR, type Entry, EntryMeta, entryTags } from '../l1/entry.ts'
import type { Stamps } from '../l1/stamps.ts'
import type { Policy } from './policy.ts'

/** Instants that went through another clock may be off by the rounding. */
export const CLOCK_ERROR_MS = 2
/** A copy that could not be compared with L2 is served for so long before the next attempt. */
const ASKED_AGAIN_MS = 1000
/** The coarse clock lags: entries leave the fast path this much before their instant. */
const COARSE_LAG_MS = 20
/** Entries that live shorter are always judged by the exact clock. */
const SHORTEST_HOT_TTL_MS = 1000
/** XFetch may begin a refresh in this last share of the ttl, not before. */
const REFRESH_WINDOW = 0.25

/**
 * What an entry of L1 is good for.
 * `fresh`: serve it. `unverified`: fresh by its ttl, but this copy has to be compared with L2.
 * `stale`: may be served in its grace. `dead`: not to be served at all.
 */
export type Verdict = 'fresh' | 'unverified' | 'stale' | 'dead'

/** Judges an entry by the exact time and brings its tag check up to date. */
export function judge(entry: Entry, policy: Policy, stamps: Stamps, now: number): Verdict {
  const { meta } = entry
  if (meta !== undefined && meta.checkedAt !== stamps.sequence) {
    if (!survives(entry, meta, stamps, now)) return 'dead'
    meta.checkedAt = stamps.sequence
  }
  if (now < entry.freshUntil) {
    return isUnverified(entry, now) ? 'unverified' : 'fresh'
  }
  return !entry.has(ENTRY_ERROR) && now < entry.freshUntil + policy.graceMs ? 'stale' : 'dead'
}

/** Applies what was invalidated since the entry was last checked. */
function survives(entry: Entry, meta: EntryMeta, stamps: Stamps, now: number): boolean {
  const tags = entryTags(entry)
  if (tags.length > 0) {
    if (stamps.newest(tags, 'hard') > meta.checkedAt) return false
    if (stamps.newest(tags, 'soft') > meta.checkedAt) expire(entry, now)
  }
  if (stamps.suspectedAt > meta.checkedAt) unverify(entry)
  return true
}

/** From now on the entry is stale; its grace counts from now. */
export function expire(entry: Entry, now: number): void {
  entry.freshUntil = Math.min(entry.freshUntil, now)
  entry.hotUntil = 0
}

/** The entry has to be compared with L2 before it is served again. */
export function unverify(entry: Entry): void {
  if (entry.meta === undefined || entry.meta.localUntil === Number.POSITIVE_INFINITY) return
  entry.meta.localUntil = 0
  entry.hotUntil = 0
}

/** Whether this copy has been here so long that L2 may know better. */
export function isUnverified(entry: Entry, now: number): boolean {
  return entry.meta !== undefined && now >= entry.meta.localUntil
}

/** The next look at L2 is put off; the entry stays off the fast path until it was verified. */
export function extendUnverified(entry: Entry, now: number, l1TtlMs: number): void {
  if (entry.meta === undefined) return
  // Not for a whole l1.ttl: after a short trouble L2 is soon asked again.
  entry.meta.localUntil = now + Math.min(l1TtlMs, ASKED_AGAIN_MS)
}

/** The origin has failed: it is tried again after `graceBackoff`, counted from now. */
export function backOff(entry: Entry, policy: Policy, stamps: Stamps, now: number): void {
  entry.meta ??= new EntryMeta(undefined, stamps.sequence, Number.POSITIVE_INFINITY)
  entry.meta.retryAt = now + policy.graceBackoffMs
}

/** Sets how long the entry may be served with no look at anything else. */
export function heat(entry: Entry, policy: Policy): void {
  const { meta, createdAt, freshUntil } = entry
  const ttl = freshUntil - createdAt
  if (ttl < SHORTEST_HOT_TTL_MS || entry.isSlow) {
    entry.hotUntil = 0
    return
  }
  let until = freshUntil
  if (policy.refreshAhead > 0 && ttl !== Number.POSITIVE_INFINITY) {
    until = createdAt + ttl * Math.min(1 - REFRESH_WINDOW, policy.refreshAhead)
  }
  if (meta !== undefined && meta.localUntil < until) until = meta.localUntil
  entry.hotUntil = Math.floor(until - COARSE_LAG_MS)
}

/**
 * Whether this read of a fresh entry should start a refresh, so that nobody has to wait when the ttl
 * ends. XFetch (Vattani, Chierichetti, Lowenstein: "Optimal Probabilistic Cache Stampede Prevention",
 * VLDB 2015) with beta 1: the nearer the end and the slower the origin, the likelier. It seldom
 * fires for keys that are read rarely, so a share of the ttl serves as a floor.
 */
export function wantsRefresh(
  entry: Entry,
  policy: Policy,
  now: number,
  random: () => number,
): boolean {
  const { createdAt, freshUntil, meta } = entry
  const ttl = freshUntil - createdAt
  if (policy.refreshAhead === 0 || ttl === Number.POSITIVE_INFINITY) return false
  if (meta !== undefined && now < meta.retryAt) return false
  if (now - createdAt >= policy.refreshAhead * ttl) return true
  const left = freshUntil - now
  return left < REFRESH_WINDOW * ttl && -entry.loadMs * Math.log(random()) >= left
}
