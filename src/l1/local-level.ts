import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.ts'

/**
 * What finds an entry in L1: the key text of the arguments, or the number itself where the only
 * argument is a number (making text of it would cost more than the lookup).
 */
export type LocalKey = string | number

/** The bound of one cache's L1, shared by the regions (one per cached function) that fill it. */
export class LocalBudget {
  readonly maxEntries: number
  readonly maxBytes: number
  entries = 0
  bytes = 0
  readonly #levels = new Set<LocalLevel>()

  constructor(maxEntries: number, maxBytes: number) {
    this.maxEntries = maxEntries
    this.maxBytes = maxBytes
  }

  add(level: LocalLevel): void {
    this.#levels.add(level)
  }

  remove(level: LocalLevel): void {
    this.#levels.delete(level)
  }

  /**
   * Evicts until the bound holds. The function that holds the most gives up what it has not used for
   * longest: a function that scans through many keys then evicts its own entries, not the hot ones
   * of its neighbours.
   */
  enforce(): void {
    while (this.entries > this.maxEntries) this.#largest((level) => level.size)?.evictOldest()
    while (this.bytes > this.maxBytes && this.entries > 0) {
      this.#largest((level) => level.bytes)?.evictOldest()
    }
  }

  #largest(measure: (level: LocalLevel) => number): LocalLevel | undefined {
    let largest: LocalLevel | undefined
    for (const level of this.#levels) {
      if (!largest || measure(level) > measure(largest)) largest = level
    }
    return largest
  }
}

/**
 * The entries of one cached function, least recently used first. One lru-cache per function, so that
 * a lookup needs no prefix: building `prefix + key` on every hit would cost six times the lookup.
 * lru-cache serves as a plain map: ttl, single-flight and size are ours.
 */
export class LocalLevel {
  readonly lru: LRUCache<LocalKey, Entry>
  bytes = 0
  evictions = 0
  readonly #budget: LocalBudget
  readonly #onEvict: (key: LocalKey) => void

  constructor(budget: LocalBudget, onEvict: (key: LocalKey) => void) {
    this.#budget = budget
    this.#onEvict = onEvict
    this.lru = new LRUCache<LocalKey, Entry>({
      // The bound is the budget's. With `max`, lru-cache would allocate for all of it at once: 220 kB
      // for each function at the default, more than there is for Infinity.
      maxSize: Number.MAX_SAFE_INTEGER,
      sizeCalculation: () => 1,
      dispose: (entry, key, reason) => this.#disposed(entry, key, reason === 'evict'),
    })
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

  #disposed(entry: Entry, key: LocalKey, evicted: boolean): void {
    this.bytes -= entry.bytes
    this.#budget.entries--
    this.#budget.bytes -= entry.bytes
    if (evicted) {
      this.evictions++
      this.#onEvict(key)
    }
  }
}
