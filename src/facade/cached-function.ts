import type { Duration } from '../kernel/duration.ts'
import type { Durability } from '../read-path/invalidate.ts'
import type { SetOptions } from './options.ts'
import type {
  CacheStats,
  Detail,
  Explanation,
  PeekedEntry,
  Settled,
  WarmResult,
} from './results.ts'

/** For one call. */
export interface CallSettings {
  /** Ends this caller's wait with `ERR_ABORTED`; the load goes on for the others. */
  signal?: AbortSignal
  /** Calls the origin whatever is cached, and stores what it brings. */
  reload?: boolean
  /** Accepts a cached value only up to this age. */
  maxAge?: Duration
}

/**
 * A function that remembers. It is called like the original and always gives a promise.
 *
 * It rejects with the origin's own error, shared by all who wait for the same load; with
 * `ERR_TIMEOUT` after `hardTimeout`; with `ERR_CLOSED` after `close()`; with `ERR_UNCACHEABLE_KEY`
 * for arguments that make no key. It never rejects because of L1 or L2.
 */
export interface CachedFunction<A extends readonly unknown[], V> {
  (...args: A): Promise<V>
  /** The fresh value in L1, now, else `undefined`. Starts nothing. */
  peek(...args: A): V | undefined
  /** Like `peek`, but tells a cached `undefined` from a missing one. */
  peekEntry(...args: A): PeekedEntry<V> | undefined
  /** The same function with settings for one call: `fn.with({ signal })(id)`. */
  with(settings: CallSettings): (...args: A) => Promise<V>
  /** The value with its source, outcome, age and key. */
  detail(...args: A): Promise<Detail<V>>
  /**
   * Many calls as one: values in the order of the argument lists, each key loaded once, L2 read
   * once, `manyOrigin` called once for what is missing. Rejects with the first error after all have
   * ended; with `settle` it never rejects.
   */
  many(argumentLists: readonly A[], options?: { settle?: false }): Promise<V[]>
  many(argumentLists: readonly A[], options: { settle: true }): Promise<Settled<V>[]>
  /** Calls the origin now and stores what it brings; rejects if it fails, keeping the old value. */
  refresh(...args: A): Promise<V>
  /** Puts a value in by hand. */
  set(args: A, value: V, options?: SetOptions): Promise<Durability>
  /** Removes the entry of these arguments everywhere; it is not served again, not even stale. */
  invalidate(...args: A): Promise<Durability>
  /** The key of these arguments in L2. */
  key(...args: A): string
  /** Why a call with these arguments would hit or miss. */
  explain(...args: A): Promise<Explanation>
  /** Removes all entries of this function everywhere. O(1) in L2. */
  clear(): Promise<Durability>
  /** Loads what is missing, in the background, `concurrency` at a time (5). Never rejects. */
  warm(argumentLists: readonly A[], options?: { concurrency?: number }): Promise<WarmResult>
  stats(): CacheStats
  /**
   * Frees the name and the memory. Loads under way still answer those who wait for them; calls after
   * that reject with `ERR_CLOSED`. The cache's `stats()` keep what the function has counted.
   */
  dispose(): void
  /**
   * Of a decorated method: the same methods for one instance, which is `this` to its loads and
   * decides its keys where the scope says so: `orders.byId.for(orders).invalidate(7)`. TypeScript
   * does not see what a decorator adds; say `(orders.byId as CachedFunction<[number], Order>)`.
   */
  for(self: object): CachedFunction<A, V>
}
