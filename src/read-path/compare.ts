import { degradedHit, hit, serveStale } from './answer-from-l1.ts'
import { isKnownToL2 } from './consider.ts'
import { judge } from './freshness.ts'
import type { Outcome } from './outcome.ts'
import { countFound, fromRemote } from './read-plain.ts'
import type { Read, Wait, Wanted } from './read-request.ts'
import { refreshInBackground } from './take-off.ts'

/** Compares the copy with L2 beside the load under way, and joins that only if there is nothing else. */
export async function compare(request: Read, wanted: Wanted, wait: Wait): Promise<Outcome> {
  const { region, key, policy } = request
  const { clock, stamps } = region.core
  const { writes } = region
  const { sequence } = stamps
  const found = await region.comparisons.share(key, { writes, sequence }, () =>
    fromRemote(region, [key], policy),
  )
  const fresh = found?.get(key)
  if (fresh && fresh.entry.createdAt >= wanted.minCreatedAt) return countFound(region, key, fresh)
  const entry = region.lru.get(key)
  const verdict = entry ? judge(entry, policy, stamps, clock.now()) : 'dead'
  if (!entry || verdict === 'dead') return wait(wanted)
  if (verdict === 'fresh') return hit(request, entry, clock.now())
  if (verdict === 'unverified') {
    if (!found) return degradedHit(request, entry)
    if (policy.graceMs === 0 || isKnownToL2(entry)) return wait(wanted)
  }
  refreshInBackground(request, entry, false)
  return serveStale(request, entry, 'stale-while-revalidate')
}
