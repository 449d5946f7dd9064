import type { Core } from '../read-path/core.ts'
import type { Region } from '../read-path/region.ts'
import type { CacheStats } from './results.ts'

/** The sum over regions. Plain integers are read when asked for: counting costs a hit one addition. */
export function regionStats(regions: Iterable<Region>, core?: Core): CacheStats {
  const sum = {
    misses: 0,
    stale: 0,
    coalesced: 0,
    originCalls: 0,
    originErrors: 0,
    sets: 0,
    invalidations: 0,
  }
  let l1 = 0
  let l2 = 0
  let evictions = 0
  let entries = 0
  let bytes = 0
  for (const region of regions) {
    for (const name of Object.keys(sum) as Array<keyof typeof sum>) sum[name] += region[name]
    l1 += region.hits
    l2 += region.hitsL2
    evictions += region.local.evictions
    entries += region.local.size
    bytes += region.local.bytes
  }
  const l2Errors = core ? (core.remote?.errors ?? 0) + core.rejectedEntries : 0
  return { hits: { l1, l2, l3: 0 }, ...sum, evictions, entries, bytes, l2Errors }
}
