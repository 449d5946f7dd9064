import { ENTRY_ERROR, type Entry } from '../l1/entry.ts'
import { emitHit } from './emit-hit.ts'
import { emitStale } from './emit-stale.ts'
import { fallBack } from './fall-back.ts'
import { extendUnverified, wantsRefresh } from './freshness.ts'
import { entryOutcome, type Outcome } from './outcome.ts'
import type { Read } from './read-request.ts'
import { refreshInBackground } from './take-off.ts'

/** What is fresh in L1 goes to its caller, who may begin a refresh with it. */
export function hit(request: Read, entry: Entry, now: number): Outcome | Promise<Outcome> {
  const { region, policy } = request
  const { core } = region
  if (entry.has(ENTRY_ERROR)) {
    region.hits++
    const fallback = policy.guard?.fallback
    return fallback
      ? fallBack(region, fallback, entry.value, request.args)
      : Promise.reject(entry.value)
  }
  region.hits++
  emitHit(region, request.key, 'l1')
  if (wantsRefresh(entry, policy, now, core.random)) refreshInBackground(request, entry, true)
  return entryOutcome(entry, 'l1', 'hit')
}

/** What is stale goes to its caller at once. */
export function serveStale(
  { region, key }: Read,
  entry: Entry,
  kind: 'stale-while-revalidate' | 'stale-timeout' | 'stale-error',
): Outcome {
  region.stale++
  emitStale(region, key, kind)
  return entryOutcome(entry, 'stale', kind)
}

/** L2 cannot be asked: the copy is fresh by its own ttl, and is served for another while. */
export function degradedHit({ region, key }: Read, entry: Entry): Outcome {
  const { core } = region
  extendUnverified(entry, core.clock.now(), core.l1TtlMs)
  region.hits++
  emitHit(region, key, 'l1')
  return entryOutcome(entry, 'l1', 'degraded')
}
