import type { Entry } from '../l1/entry.ts'
import { degradedHit, serveStale } from './answer-from-l1.ts'
import { compare } from './compare.ts'
import { isUnverified, type Verdict } from './freshness.ts'
import type { Outcome } from './outcome.ts'
import type { Read, TakeOff, Wait, Wanted } from './read-request.ts'
import { isJoined, refreshInBackground, refreshTags } from './take-off.ts'

/** There is an entry, but it is stale, unverified or older than this caller accepts. */
export function readPast(
  request: Read,
  entry: Entry,
  verdict: Verdict,
  options: Wanted,
  wait: Wait,
): Outcome | Promise<Outcome> {
  const { region, policy } = request
  const { core } = region
  if (entry.createdAt < options.minCreatedAt) return wait(options)
  const running = region.flights.get(request.key)
  // It does not answer as soon as L2 has: it waits for the origin, or for another process.
  const isLong = running?.forced || running?.looked || running?.background
  if (verdict === 'unverified') {
    if (!core.remote?.usable) return degradedHit(request, entry)
    const beside = (): Promise<Outcome> => compare(request, options, wait)
    if (isLong) return beside()
    const unverified = { ...options, entry, entryIsFresh: true, unverified: true }
    return waitUnless(request, unverified, wait, beside)
  }
  const now = core.clock.now()
  if (isUnverified(entry, now) && core.remote?.usable && !isLong) {
    return wait({ ...options, entry, unverified: true })
  }
  if (entry.meta !== undefined && now < entry.meta.retryAt) {
    return serveStale(request, entry, 'stale-error')
  }
  // A reload shows its failure to those who wait for it: whoever has something stale does not.
  const waits = policy.softTimeoutMs > 0 && !running?.softElapsed && !running?.forced
  if (waits) {
    running?.offerStale(entry)
    const stale = (): Outcome => serveStale(request, entry, 'stale-error')
    return waitUnless(request, { ...options, entry }, wait, stale)
  }
  const elapsed = running?.softElapsed && policy.softTimeoutMs > 0
  refreshInBackground(request, entry, false)
  return serveStale(request, entry, elapsed ? 'stale-timeout' : 'stale-while-revalidate')
}

/** Waits for the load of the key, unless it would have to be begun and its tags cannot be named. */
function waitUnless(
  request: Read,
  options: TakeOff & { entry: Entry },
  wait: Wait,
  instead: () => Outcome | Promise<Outcome>,
): Outcome | Promise<Outcome> {
  const running = request.region.flights.get(request.key)
  if (running && isJoined(running, options.call)) return wait(options)
  const tags = refreshTags(request, options.entry)
  return tags ? wait({ ...options, tags }) : instead()
}
