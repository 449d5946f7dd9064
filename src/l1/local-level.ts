import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.ts'

/**
 * What finds an entry in L1: the key text of the arguments, or the number itself where the only
 * argument is a number (making text of it would cost more than the lookup).
 */
export type LocalKey = string | number

/** Up to so many functions each eviction is from the one that holds the most. */
const SEEN_AT_A_TIME = 16

/** The bound of one cache's L1, shared by the regions (one per cached function) that fill it. */
export class LocalBudget {
  readonly maxEntries: number
  readonly maxBytes: number
  entries = 0
  bytes = 0
  readonly #levels = new Set<LocalLevel>()
  /** Where the search for the largest goes on: it goes round, a few levels at a time. */
  #round: Iterator<LocalLevel> | undefined
  /** The largest that was met lately. */
  #candidate: LocalLevel | undefined

  constructor(maxEntries: number, maxBytes: number) {
    this.maxEntries = maxEntries
    this.maxBytes = maxBytes
  }

  add(level: LocalLevel): void {
    this.#levels.add(level)
  }

  remove(level: LocalLevel): void {
    this.#levels.delete(level)
    if (this.#candidate === level) this.#candidate = undefined
  }

  /**
   * Evicts until the bound holds. The function that holds the most gives up what it has not used for
   * longest: a function that scans through many keys then evicts its own entries, not the hot ones
   * of its neighbours.
   */
  enforce(): void {
    while (this.entries > this.maxEntries && this.#evictFrom((level) => level.size));
    while (this.bytes > this.maxBytes && this.#evictFrom((level) => level.bytes));
  }

  #evictFrom(measure: (level: LocalLevel) => number): boolean {
    const level = this.#largest(measure)
    level?.evictOldest()
    return level !== undefined
  }

  /**
   * Of many levels the largest of those seen lately: each call looks at a few more, so that its cost
   * does not grow with the number of functions and namespaces. Of few levels it is the largest.
   */
  #largest(measure: (level: LocalLevel) => number): LocalLevel | undefined {
    let largest = this.#candidate
    let size = largest ? measure(largest) : 0
    for (let seen = 0; seen < this.#levels.size && (seen < SEEN_AT_A_TIME || size === 0); seen++) {
      const level = this.#next()
      const other = measure(level)
      if (other <= size) continue
      largest = level
      size = other
    }
    this.#candidate = largest
    return size > 0 ? largest : undefined
  }

  #next(): LocalLevel {
    let next = this.#round?.next()
    if (next === undefined || next.done) {
      this.#round = this.#levels.values()
      next = this.#round.next()
    }
    return next.value as LocalLevel
  }
}

/** A function with fewer entries gets a cache that grows with them. */
const FEW = 256
/** Larger bounds are not prepared for. */
const MOST_PREPARED = 2 ** 24

/** The region that a level belongs to. */
export interface LevelOwner {
  evicted(key: LocalKey): void
  /** Lookups go to another lru-cache from now on. */
  lruReplaced(lru: LRUCache<LocalKey, Entry>): void
}

/**
 * The entries of one cached function, least recently used first. One lru-cache per function, so that
 * a lookup needs no prefix: building `prefix + key` on every hit would cost six times the lookup.
 * lru-cache serves as a plain map: ttl, single-flight and size are ours.
 */
export class LocalLevel {
  lru: LRUCache<LocalKey, Entry>
  bytes = 0
  evictions = 0
  #isFullSize = false
  readonly #budget: LocalBudget
  readonly #owner: LevelOwner

  constructor(budget: LocalBudget, owner: LevelOwner) {
    this.#budget = budget
    this.#owner = owner
    // The bound is the budget's; this one only grows.
    this.lru = this.#makeLru({ maxSize: Number.MAX_SAFE_INTEGER, sizeCalculation: () => 1 })
    budget.add(this)
  }

  get size(): number {
    return this.lru.size
  }

  put(key: LocalKey, entry: Entry): void {
    // An entry larger than the whole bound would push out everything and then itself.
    if (entry.bytes > this.#budget.maxBytes) {
      this.lru.delete(key)
      return
    }
    if (!this.#isFullSize && this.lru.size >= FEW) this.#growToFullSize()
    this.lru.set(key, entry)
    this.bytes += entry.bytes
    this.#budget.entries++
    this.#budget.bytes += entry.bytes
    this.#budget.enforce()
  }

  evictOldest(): void {
    this.lru.pop()
  }

  clear(): void {
    this.lru.clear()
  }

  /** Gives the room back; the level must not be used again. */
  dispose(): void {
    this.clear()
    this.#budget.remove(this)
  }

  /**
   * With `max`, lru-cache makes its lists for all entries at once: half the memory per entry, but
   * 200 kB for each function. So only functions that have many entries get such a one.
   */
  #growToFullSize(): void {
    this.#isFullSize = true
    const { maxEntries } = this.#budget
    if (maxEntries > MOST_PREPARED) return
    const small = this.lru
    this.lru = this.#makeLru({ max: maxEntries })
    // Least recently used first, so that the order stays.
    for (const key of small.rkeys()) this.lru.set(key, small.peek(key) as Entry)
    this.#owner.lruReplaced(this.lru)
  }

  #makeLru(bound: { max: number } | { maxSize: number; sizeCalculation: () => number }) {
    return new LRUCache<LocalKey, Entry>({
      ...bound,
      dispose: (entry, key, reason) => this.#disposed(entry, key, reason === 'evict'),
    })
  }

  #disposed(entry: Entry, key: LocalKey, evicted: boolean): void {
    this.bytes -= entry.bytes
    this.#budget.entries--
    this.#budget.bytes -= entry.bytes
    if (evicted) {
      this.evictions++
      this.#owner.evicted(key)
    }
  }
}
