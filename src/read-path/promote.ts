import { ENTRY_IN_L2, type Entry, entryTags } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { emitHit } from './emit-hit.ts'
import type { Flight } from './flight.ts'
import type { Found } from './found.ts'
import { CLOCK_ERROR_MS, heat } from './freshness.ts'
import { entryOutcome } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'
import { put } from './write-back.ts'

/** An entry found in L2 goes to L1 and to the callers. */
export function promote(region: Region, flight: Flight, entry: Entry): void {
  const { key, policy, validity } = flight
  if (mayKeep(region, flight)) put(region, key, entry, policy)
  const outcome = entryOutcome(entry, 'l2', 'promoted')
  flight.succeed(outcome, entryTags(entry), validity.lookedSequence)
  emitHit(region, key, 'l2')
}

/** L2 holds just what L1 has: the copy is as good as a new one, and goes to the callers. */
export function confirm(region: Region, flight: Flight, found: Found): void {
  const { key, policy, validity } = flight
  const { entry } = found
  if (mayKeep(region, flight)) keepConfirmed(region, key, policy, found, validity.lookedSequence)
  const outcome = entryOutcome(entry, 'l1', 'revalidated')
  flight.succeed(outcome, entryTags(entry), validity.lookedSequence)
  emitHit(region, key, 'l1')
}

/** @param sequence the local one when L2 was asked: what was invalidated since is still looked at */
export function keepConfirmed(
  region: Region,
  key: LocalKey,
  policy: Policy,
  { entry, freshUntil }: Pick<Found, 'entry' | 'freshUntil'>,
  sequence: number,
): void {
  const present = region.lru.peek(key)
  if (present !== undefined && present !== entry) return
  entry.freshUntil = freshUntil
  verified(region, entry, sequence)
  heat(entry, policy)
  if (present === undefined) put(region, key, entry, policy)
}

/** A stale entry of L2 goes to L1, so that it need not be asked for again at once. */
export function keepStale(region: Region, flight: Flight, { entry, isCopy }: Found): void {
  if (!mayKeep(region, flight)) return
  const { key, policy, validity } = flight
  const present = region.lru.peek(key)
  if (isCopy) {
    if (present === entry) verified(region, entry, validity.lookedSequence)
    return
  }
  if (present !== undefined && present.createdAt > entry.createdAt + CLOCK_ERROR_MS) return
  const retryAt = present?.meta?.retryAt ?? 0
  if (entry.meta !== undefined && retryAt > 0) entry.meta.retryAt = retryAt
  put(region, key, entry, policy)
}

function verified(region: Region, entry: Entry, sequence: number): void {
  const { clock, l1TtlMs } = region.core
  entry.mark(ENTRY_IN_L2)
  if (entry.meta === undefined) return
  entry.meta.localUntil = clock.now() + l1TtlMs
  entry.meta.checkedAt = sequence
}

function mayKeep(region: Region, { outdated, overtaken, policy }: Flight): boolean {
  return policy.useL1 && region.core.useL1 && !outdated && !overtaken
}
