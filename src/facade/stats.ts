import type { Core } from '../read-path/core.ts'
import type { Region } from '../read-path/region.ts'
import type { CacheStats } from './results.ts'

/** Counters as regions have them. */
export interface Counts {
  hits: number
  hitsL2: number
  hitsL3: number
  missesL3: number
  misses: number
  stale: number
  coalesced: number
  originCalls: number
  originErrors: number
  sets: number
  invalidations: number
  evictions: number
}

export function noCounts(): Counts {
  return {
    hits: 0,
    hitsL2: 0,
    hitsL3: 0,
    missesL3: 0,
    misses: 0,
    stale: 0,
    coalesced: 0,
    originCalls: 0,
    originErrors: 0,
    sets: 0,
    invalidations: 0,
    evictions: 0,
  }
}

export function addCounts(sum: Counts, region: Region): void {
  for (const name of Object.keys(sum) as Array<keyof Counts>) {
    sum[name] += name === 'evictions' ? region.local.evictions : region[name]
  }
}

/**
 * The sum over regions. Plain integers are read when asked for: counting costs a hit one addition.
 * @param past what regions that are gone have counted
 */
export function regionStats(
  regions: Iterable<Region>,
  past: Counts = noCounts(),
  core?: Core,
): CacheStats {
  const sum = { ...past }
  let entries = 0
  let bytes = 0
  for (const region of regions) {
    addCounts(sum, region)
    entries += region.local.size
    bytes += region.local.bytes
  }
  const { hits, hitsL2, hitsL3, missesL3, ...others } = sum
  const l2Errors = core ? (core.remote?.errors ?? 0) + core.rejectedEntries : 0
  return {
    hits: { l1: hits, l2: hitsL2, l3: hitsL3 },
    missesL3,
    ...others,
    entries,
    bytes,
    l2Errors,
  }
}
