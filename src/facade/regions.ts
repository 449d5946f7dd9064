import type { Region } from '../read-path/region.ts'
import { addCounts, type Counts, noCounts } from './stats.ts'
import { SweptMap } from './swept-map.ts'

/** The region of the keys of `getOrSet`, `get`, `set` and `delete` in one namespace. */
export interface DirectRegion {
  readonly region: Region
  /** Calls under way: while there are any, the region stays. */
  users: number
}

/**
 * All regions of a cache, and the counters of those that are gone.
 *
 * One namespace per tenant must not cost memory for ever. So a direct region goes when it has nothing
 * in L1 and nobody is using it; the next call in its namespace makes another. The counters of a
 * namespace last as long as somebody holds it, those of the cache always.
 */
export class Regions implements Iterable<Region> {
  readonly #living = new Set<Region>()
  /** Disposed of, while loads that began before still run. */
  readonly #ending = new Set<Region>()
  readonly #direct = new SweptMap<DirectRegion>((direct) => this.#endIdle(direct))
  /** Of ended regions, by the scope tag of the cache or namespace. */
  readonly #past = new SweptMap<WeakRef<Counts>>((counts) => counts.deref() === undefined);

  [Symbol.iterator](): Iterator<Region> {
    return this.#living.values()
  }

  /** With those that are ending. */
  all(): Region[] {
    this.#settleEnding()
    return [...this.#living, ...this.#ending]
  }

  add(region: Region): void {
    this.#living.add(region)
  }

  /** Its memory is free at once; its loads go on for those who wait for them, and are counted. */
  end(region: Region): void {
    this.#living.delete(region)
    // Not only its level: what is being read from L2 for it now must not be put there.
    region.empty()
    region.dispose()
    this.#ending.add(region)
    this.#settleEnding()
  }

  /** The direct region of a namespace, which its scope tag names. */
  direct(scopeTag: string, make: () => Region): DirectRegion {
    let direct = this.#direct.get(scopeTag)
    if (direct === undefined) {
      direct = { region: make(), users: 0 }
      this.#direct.set(scopeTag, direct)
    }
    return direct
  }

  /** The counters of what ended in a scope, for as long as the caller holds them. */
  past(scopeTag: string): Counts {
    let counts = this.#past.get(scopeTag)?.deref()
    if (counts === undefined) {
      counts = noCounts()
      this.#past.set(scopeTag, new WeakRef(counts))
    }
    return counts
  }

  #endIdle({ region, users }: DirectRegion): boolean {
    if (users > 0 || region.lru.size > 0 || region.running.size > 0) return false
    this.end(region)
    return true
  }

  #settleEnding(): void {
    for (const region of this.#ending) {
      if (region.running.size > 0) continue
      this.#ending.delete(region)
      for (const tag of region.scopeTags) {
        const counts = this.#past.get(tag)?.deref()
        if (counts) addCounts(counts, region)
      }
    }
  }
}
