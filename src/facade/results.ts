import type { RemoteHealth } from '../l2/store-status.ts'
import type { OutcomeKind, Source } from '../read-path/outcome.ts'

/** A value with how it was come by. */
export interface Detail<V> {
  readonly value: V
  readonly source: Source
  /** Why this source: `hit`, `promoted`, `loaded`, `coalesced`, `stale-while-revalidate` … */
  readonly outcome: OutcomeKind
  /** Since the value was loaded or set. */
  readonly ageMs: number
  /** The key in L2. */
  readonly key: string
}

/** One of `many(…, { settle: true })`. */
export type Settled<V> =
  | { readonly ok: true; readonly value: V }
  | { readonly ok: false; readonly error: unknown }

/** What `peekEntry` finds. */
export interface PeekedEntry<V> {
  readonly value: V
  readonly ageMs: number
  /** Until the end of its ttl. */
  readonly freshForMs: number
}

/** Counters since the cache or the function was made. */
export interface CacheStats {
  /**
   * Reads answered by a fresh value. `l3`: answers of an LLM for which its provider read a part of the
   * prompt from its own cache; they are misses of the other levels.
   */
  readonly hits: { readonly l1: number; readonly l2: number; readonly l3: number }
  /** Answers of an LLM whose whole prompt had to be processed. */
  readonly missesL3: number
  /** Reads that waited for the origin, whether it answered or failed. */
  readonly misses: number
  /** Reads answered by a stale value. */
  readonly stale: number
  /** Of the reads above, those that joined a load under way. */
  readonly coalesced: number
  readonly originCalls: number
  readonly originErrors: number
  readonly sets: number
  readonly invalidations: number
  readonly evictions: number
  /** Entries and bytes in L1 now. */
  readonly entries: number
  readonly bytes: number
  /** Failed operations of L2, and entries of it that could not be used. */
  readonly l2Errors: number
}

/** The state of a cache and its levels. */
export interface CacheHealth {
  /**
   * `degraded`: a configured L2 is away, not yet there or takes no writes; the cache works from L1.
   * `down`: closed.
   */
  readonly status: 'ok' | 'degraded' | 'down'
  readonly l1: {
    readonly entries: number
    readonly bytes: number
    /** How long a copy is served before L2 is asked again; `Infinity` without an L2. */
    readonly ttlMs: number
    /** The `l1.ttl` that was asked for is longer than the coherence of L2 allows. */
    readonly ttlClamped: boolean
  }
  readonly l2: Omit<RemoteHealth, 'state'> & {
    readonly state: RemoteHealth['state'] | 'off'
    /**
     * How long another process may serve a value as fresh at most after this one has invalidated it
     * durably, in milliseconds, as things are at present. 1300 with a working bus, even if a message
     * is lost (a heartbeat of 1 s, 250 ms of patience, a round trip); where others cannot be told, the
     * time after which they ask L2 again: `l1.ttlMs`. `Infinity` without an L2, and while
     * it is not `ready`: nobody can be told, and the ttl of an entry is its only bound.
     */
    readonly stalenessMs: number
  }
}

/** Why a read would end as it would, level by level. Reading it changes nothing. */
export interface Explanation {
  readonly key: string
  /** The sentence to read first. */
  readonly summary: string
  readonly l1: LevelExplanation
  readonly l2: LevelExplanation
  readonly load: 'none' | 'running'
}

export interface LevelExplanation {
  readonly state: 'off' | 'down' | 'missing' | 'fresh' | 'unverified' | 'stale' | 'dead' | 'error'
  readonly ageMs?: number
  /** Negative: since when it is stale. */
  readonly freshForMs?: number
  readonly tags?: readonly string[]
}

export interface WarmResult {
  readonly loaded: number
  readonly failed: number
}
