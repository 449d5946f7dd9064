import type { Clock } from '../contracts/clock.ts'
import type { ForeignLimiter, Runner } from '../contracts/runner.ts'
import type { Duration } from '../kernel/duration.ts'
import type { StoredFunction } from './stored-source.ts'

/** What is given for a key that the batch function brings nothing for. */
export type OnMissing<K> = 'null' | 'error' | ((key: K) => unknown)

/** What missing keys add to the values: what a function makes up, else `null` unless it is an error. */
export type MissingValue<W, M> = [M] extends [never]
  ? W extends 'error'
    ? never
    : null
  : Exclude<M, Error>

/** Options of a loader. */
export interface LoaderOptions<K> {
  /** Label of its metrics. @default the name of the batch function */
  name?: string
  /**
   * How long a batch gathers keys. `'tick'`: to the end of the promise jobs of this turn of the event
   * loop. A duration: from its first key on. With `idle`: until no key has come for so long, and
   * `duration` at most.
   * @default 'tick'
   */
  window?: 'tick' | Duration | { duration: Duration; idle: Duration }
  /** So many keys in one batch at most. @default Infinity */
  maxBatch?: number
  /** So much weight in one batch at most; a heavier key goes alone. */
  maxWeight?: { of: (key: K) => number; max: number }
  /** So many batches in flight at most; keys join the batches that wait for their turn. @default Infinity */
  concurrency?: number
  /**
   * Whose loads go together. `'request'`: those of one `requestScope`, and those outside of all scopes.
   * `'process'`: all.
   * @default 'request'
   */
  batch?: 'request' | 'process'
  /**
   * What is remembered. `'request'`: a value until the end of its `requestScope`, nothing outside of
   * one. `false`: nothing. A {@link LoaderCache}: in a cache of this library too.
   * @default 'request'
   */
  cache?: false | 'request' | LoaderCache<K>
  /** What tells keys apart, where they are objects: text, number, bigint. @default the key itself */
  key?: (key: K) => unknown
  /**
   * When a remembered value is handed out. `'batched'`: together with the batch that is gathering, as
   * graphql/dataloader does, so that what is loaded next for hits and misses goes into one batch.
   * @default 'immediate'
   */
  hits?: 'immediate' | 'batched'
  /**
   * When the batch function fails. `'fail'`: all its keys fail. `'split'`: it is called again with
   * halves, until only the keys that make it fail do; not for errors of this library, such as a
   * time-out.
   * @default 'fail'
   */
  onBatchError?: 'fail' | 'split'
  /** Runs around each call of the batch function: a guard, a breaker, or any limiter such as `pLimit(5)`. */
  guard?: Runner | ForeignLimiter
  /** When the event `n-plus-one` is told. */
  nPlusOne?: {
    /** After so many batches of a single key from one line. @default 5 */
    repeats?: number
    /** Between two of them no more than that. @default '1s' */
    within?: Duration
  }
  clock?: Clock
}

/** Of a batch function that returns rows in any order. */
export interface RowOptions<K, R, W, M> extends LoaderOptions<K> {
  /** The key of a row. */
  keyOf: (row: R) => K
  /** @default 'null' */
  onMissing?: W | ((key: K) => M)
}

/** Of a batch function that returns a `Map`. */
export interface MapOptions<K, W, M> extends LoaderOptions<K> {
  /** @default 'null' */
  onMissing?: W | ((key: K) => M)
}

/** Values that outlive the request, in a cache of this library. */
export interface LoaderCache<K> {
  /** The cache: L1, then L2 by one read for the whole batch, then the batch function. */
  store: LoaderStore
  /** Part of the keys in L2, required with one; unique in its cache. @default the name of the loader */
  name?: string
  /** Also remembers for the request, in front of the cache. @default true */
  memo?: boolean
  /** How long a value is fresh. @default that of the cache */
  ttl?: Duration
  /** How long a stale one may still be served, see `cached()`. @default that of the cache */
  grace?: Duration
  /** The ttl of keys that are missing with `onMissing: 'null'`. @default the ttl of any other */
  negativeTtl?: Duration
  /** Tags of the entry of a key, for `invalidateTag`. */
  tags?: (key: K) => readonly string[]
  /** Change it when the shape of the values changes. */
  version?: string | number
}

/** What a loader needs of a cache: the one that `createCache` makes has it. */
export interface LoaderStore {
  cached(origin: (context: never, key: never) => Promise<unknown>, options: never): StoredFunction
}
