import { isThenable } from '../kernel/thenable.ts'
import {
  batchScheduleFnOf,
  cacheKeyFnOf,
  cacheMapOf,
  type DataLoaderBatchFunction,
  type DataLoaderCacheMap,
  type DataLoaderOptions,
  maxBatchSizeOf,
} from './data-loader-options.ts'

interface Batch<K> {
  hasDispatched: boolean
  readonly keys: K[]
  readonly callbacks: Callbacks[]
  /** Those who found their value in the cache: they get it together with the loaded ones. */
  cacheHits: Array<() => void> | undefined
}

interface Callbacks {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

const REQUIREMENT =
  'DataLoader must be constructed with a function which accepts Array<key> and returns Promise<Array<value>>'

/**
 * Loads of single keys that become one call of the batch function: a drop-in for `DataLoader` of
 * graphql/dataloader 2.2.3, with its surface, scheduling, caching and error texts. Its memo never
 * forgets and knows nothing of requests, so make one for each request, as there; `loader()` of this
 * package needs no such care.
 *
 * @throws TypeError for a batch function or an option that is none, in the words of the original.
 */
export class DataLoader<K, V, C = K> {
  /** The name given to this instance, for tools that watch; `null` without one. */
  name: string | null
  readonly #batchLoadFn: DataLoaderBatchFunction<K, V>
  readonly #maxBatchSize: number
  readonly #schedule: (callback: () => void) => void
  readonly #cacheKeyFn: ((key: K) => C) | undefined
  readonly #cacheMap: DataLoaderCacheMap<C, Promise<V>> | null
  #batch: Batch<K> | undefined

  constructor(batchLoadFn: DataLoaderBatchFunction<K, V>, options?: DataLoaderOptions<K, V, C>) {
    if (typeof batchLoadFn !== 'function') {
      throw new TypeError(`${REQUIREMENT}, but got: ${batchLoadFn}.`)
    }
    this.#batchLoadFn = batchLoadFn
    this.#maxBatchSize = maxBatchSizeOf(options)
    this.#schedule = batchScheduleFnOf(options)
    this.#cacheKeyFn = cacheKeyFnOf(options)
    this.#cacheMap = cacheMapOf(options)
    this.name = options?.name || null
  }

  /**
   * The value of a key, loaded together with the other keys of this turn.
   * @throws TypeError for a key that is `null` or `undefined`.
   */
  load(key: K): Promise<V> {
    if (key === null || key === undefined) {
      throw new TypeError(
        `The loader.load() function must be called with a value, but got: ${String(key)}.`,
      )
    }
    const batch = this.#currentBatch()
    const cacheMap = this.#cacheMap
    if (cacheMap === null) return enqueue<K, V>(batch, key)
    const cacheKey = this.#cacheKey(key)
    const cached = cacheMap.get(cacheKey)
    if (cached) {
      batch.cacheHits ??= []
      const hits = batch.cacheHits
      return new Promise((resolve) => {
        hits.push(() => resolve(cached))
      })
    }
    const promise = enqueue<K, V>(batch, key)
    cacheMap.set(cacheKey, promise)
    return promise
  }

  /**
   * The values of many keys, in their order. It never rejects: what cannot be loaded is an `Error` in
   * its place.
   * @throws TypeError for anything that is not like an array.
   */
  loadMany(keys: ArrayLike<K>): Promise<Array<V | Error>> {
    if (!isArrayLike(keys)) {
      throw new TypeError(
        `The loader.loadMany() function must be called with Array<key> but got: ${keys}.`,
      )
    }
    const loads: Array<Promise<V | Error>> = []
    for (let i = 0; i < keys.length; i++) {
      loads.push(this.load(keys[i] as K).catch((error: Error) => error))
    }
    return Promise.all(loads)
  }

  /** Forgets the value of a key, if it has one. */
  clear(key: K): this {
    this.#cacheMap?.delete(this.#cacheKey(key))
    return this
  }

  /** Forgets all values. */
  clearAll(): this {
    this.#cacheMap?.clear()
    return this
  }

  /** Remembers a value, or an `Error`, for a key that has none yet. */
  prime(key: K, value: V | PromiseLike<V> | Error): this {
    const cacheMap = this.#cacheMap
    if (cacheMap === null) return this
    const cacheKey = this.#cacheKey(key)
    if (cacheMap.get(cacheKey) !== undefined) return this
    cacheMap.set(cacheKey, settledWith(value))
    return this
  }

  #cacheKey(key: K): C {
    return this.#cacheKeyFn === undefined ? (key as unknown as C) : this.#cacheKeyFn(key)
  }

  #currentBatch(): Batch<K> {
    const open = this.#batch
    if (open !== undefined && !open.hasDispatched && open.keys.length < this.#maxBatchSize) {
      return open
    }
    const batch: Batch<K> = {
      hasDispatched: false,
      keys: [],
      callbacks: [],
      cacheHits: undefined,
    }
    this.#batch = batch
    this.#schedule(() => this.#dispatch(batch))
    return batch
  }

  #dispatch(batch: Batch<K>): void {
    batch.hasDispatched = true
    if (batch.keys.length === 0) {
      resolveCacheHits(batch)
      return
    }
    let answer: unknown
    try {
      answer = this.#batchLoadFn(batch.keys)
    } catch (error) {
      const message = `${REQUIREMENT}, but the function errored synchronously: ${String(error)}.`
      this.#fail(batch, new TypeError(message))
      return
    }
    if (!isThenable(answer)) {
      const message = `${REQUIREMENT}, but the function did not return a Promise: ${String(answer)}.`
      this.#fail(batch, new TypeError(message))
      return
    }
    answer
      .then((values) => {
        settle(batch, values)
      })
      // A thenable of another library: it may not have `catch`.
      .then(undefined, (error: unknown) => this.#fail(batch, error))
  }

  /** The failure of a whole batch says nothing about its keys: they are not remembered. */
  #fail(batch: Batch<K>, error: unknown): void {
    resolveCacheHits(batch)
    for (const [place, { reject }] of batch.callbacks.entries()) {
      this.clear(batch.keys[place] as K)
      reject(error)
    }
  }
}

// Only types, and where users of the original look for them.
export declare namespace DataLoader {
  export type CacheMap<K, V> = DataLoaderCacheMap<K, V>
  export type BatchLoadFn<K, V> = DataLoaderBatchFunction<K, V>
  export type Options<K, V, C = K> = DataLoaderOptions<K, V, C>
}

function enqueue<K, V>(batch: Batch<K>, key: K): Promise<V> {
  batch.keys.push(key)
  return new Promise<V>((resolve, reject) => {
    batch.callbacks.push({ resolve, reject })
  })
}

function settle<K>(batch: Batch<K>, values: unknown): void {
  if (!isArrayLike(values)) {
    throw new TypeError(
      `${REQUIREMENT}, but the function did not return a Promise of an Array: ${String(values)}.`,
    )
  }
  const { keys, callbacks } = batch
  if (values.length !== keys.length) {
    throw new TypeError(
      `${REQUIREMENT}, but the function did not return a Promise of an Array of the same length as ` +
        `the Array of keys.\n\nKeys:\n${String(keys)}\n\nValues:\n${String(values)}`,
    )
  }
  resolveCacheHits(batch)
  for (let i = 0; i < callbacks.length; i++) {
    const value = values[i]
    const { resolve, reject } = callbacks[i] as Callbacks
    if (value instanceof Error) reject(value)
    else resolve(value as never)
  }
}

function resolveCacheHits<K>(batch: Batch<K>): void {
  if (batch.cacheHits === undefined) return
  for (const hit of batch.cacheHits) hit()
}

function settledWith<V>(value: V | PromiseLike<V> | Error): Promise<V> {
  if (!(value instanceof Error)) return Promise.resolve(value)
  const promise = Promise.reject<V>(value)
  // Whoever primes an error means it: it is unhandled only if a load() of it is.
  promise.catch(() => {})
  return promise
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  const { length } = value as { length?: unknown }
  if (typeof length !== 'number') return false
  return length === 0 || (length > 0 && Object.hasOwn(value, length - 1))
}
