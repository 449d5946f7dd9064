import { type Entry, entryTags } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import type { FlightValidity } from './flight-validity.ts'
import { backOff as backOffEntry, judge } from './freshness.ts'
import { entryOutcome, type Outcome } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'

/** A load, as far as the value that is served in place of its own matters. */
export interface Resting {
  readonly region: Region
  readonly key: LocalKey
  readonly policy: Policy
  readonly validity: FlightValidity
  readonly forced: boolean
  readonly minCreatedAt: number
  readonly outdated: boolean
  readonly usable: Entry | undefined
  end(outcome: Outcome, tags: readonly string[]): void
}

/** The origin has failed: what is served instead is not refreshed again for a while. */
export function backOff(flight: Resting): void {
  const { key, policy } = flight
  const { core, local, lru, retries } = flight.region
  const now = core.clock.now()
  // Its key may have been invalidated since another load took its place.
  const usable = flight.outdated ? undefined : flight.usable
  // Found in L2: the time of the next try is kept in L1, with the value.
  if (usable && policy.useL1 && core.useL1 && !lru.peek(key)) local.put(key, usable)
  const entry = lru.peek(key)
  if (entry) backOffEntry(entry, policy, core.stamps, now)
  else if (usable) retries.set(key, now + policy.graceBackoffMs)
}

/**
 * The origin has failed a short while ago and is not called again yet: a stale entry is the answer,
 * and the end of the load.
 * @returns whether that is so
 */
export function rest(flight: Resting, entry: Entry): boolean {
  const { key, policy, validity } = flight
  const { core, lru, retries } = flight.region
  const retryAt = lru.peek(key)?.meta?.retryAt ?? retries.get(key)
  const isWanted = !flight.forced && entry.createdAt >= flight.minCreatedAt
  const now = core.clock.now()
  if (now >= retryAt || !isWanted || validity.isGone || validity.isKilled) return false
  if (judge(entry, policy, core.stamps, now) === 'dead') return false
  flight.end(entryOutcome(entry, 'stale', 'stale-error'), entryTags(entry))
  return true
}
