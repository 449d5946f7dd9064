import { afterPromiseJobs } from './promise-jobs.ts'

/** What a `cacheMap` has to have: the part of `Map` that is used. */
export interface DataLoaderCacheMap<K, V> {
  // biome-ignore lint/suspicious/noConfusingVoidType: whoever has written one for the original may say so
  get(key: K): V | undefined | void
  set(key: K, value: V): unknown
  delete(key: K): unknown
  clear(): unknown
}

/** Values, or errors, in the order of the keys, and as many. */
export type DataLoaderBatchFunction<K, V> = (
  keys: ReadonlyArray<K>,
) => PromiseLike<ArrayLike<V | Error>>

export interface DataLoaderOptions<K, V, C = K> {
  /** `false` is the same as `maxBatchSize: 1`. @default true */
  batch?: boolean
  /** So many keys for one call at most. @default Infinity */
  maxBatchSize?: number
  /** Calls `callback` when the batch is to go. @default after the promise jobs of this turn */
  batchScheduleFn?: (callback: () => void) => void
  /** `false` remembers nothing: a key that is asked for twice is in the batch twice. @default true */
  cache?: boolean
  /** What tells keys apart, where they are objects. @default the key itself */
  cacheKeyFn?: (key: K) => C
  /** What remembers; `null` is the same as `cache: false`. @default a new `Map` */
  cacheMap?: DataLoaderCacheMap<C, Promise<V>> | null
  name?: string | null
}

// Texts and types of errors are those of graphql/dataloader: programs and their tests know them.

type Given<K, V, C> = DataLoaderOptions<K, V, C> | undefined

const MAP_METHODS = ['get', 'set', 'delete', 'clear'] as const

export function maxBatchSizeOf<K, V, C>(options: Given<K, V, C>): number {
  if (options && options.batch === false) return 1
  const size: unknown = options?.maxBatchSize
  if (size === undefined) return Number.POSITIVE_INFINITY
  if (typeof size !== 'number' || size < 1) {
    throw new TypeError(`maxBatchSize must be a positive number: ${size}`)
  }
  return size
}

export function batchScheduleFnOf<K, V, C>(
  options: Given<K, V, C>,
): (callback: () => void) => void {
  const schedule = options?.batchScheduleFn
  if (schedule === undefined) return afterPromiseJobs
  if (typeof schedule !== 'function') {
    throw new TypeError(`batchScheduleFn must be a function: ${schedule}`)
  }
  return schedule
}

/** `undefined`: the key is its own cache key. */
export function cacheKeyFnOf<K, V, C>(options: Given<K, V, C>): ((key: K) => C) | undefined {
  const cacheKeyFn = options?.cacheKeyFn
  if (cacheKeyFn === undefined) return undefined
  if (typeof cacheKeyFn !== 'function') {
    throw new TypeError(`cacheKeyFn must be a function: ${cacheKeyFn}`)
  }
  return cacheKeyFn
}

export function cacheMapOf<K, V, C>(
  options: Given<K, V, C>,
): DataLoaderCacheMap<C, Promise<V>> | null {
  if (options && options.cache === false) return null
  const map = options?.cacheMap
  if (map === undefined) return new Map()
  if (!map) return null
  const missing = MAP_METHODS.filter((method) => typeof map[method] !== 'function')
  if (missing.length > 0) {
    throw new TypeError(`Custom cacheMap missing methods: ${missing.join(', ')}`)
  }
  return map
}
