import type { NPlusOne } from './n-plus-one.ts'

/** For one call. */
export interface LoadOptions {
  /**
   * Ends this caller's wait with `ERR_ABORTED`. A key that nobody waits for any more leaves its batch,
   * and when all have left, the signal of the batch function is aborted.
   */
  signal?: AbortSignal
}

/** Loads of single keys that become calls for many. Made by `loader()`. */
export interface Loader<K, V> {
  /** Label of its metrics. */
  readonly name: string
  /**
   * The value of a key. It rejects with what the batch function gives for the key, or fails with; with
   * `ERR_ABORTED` by the caller's signal; with `ERR_NOT_FOUND` where `onMissing` is `'error'`; with
   * `ERR_INVALID_OPTION` for a key that is `null` or `undefined`.
   */
  load(key: K, options?: LoadOptions): Promise<V>
  /**
   * The values of many keys, in their order. It rejects for wrong arguments only: what cannot be loaded
   * is an `Error` in its place.
   */
  loadMany(keys: Iterable<K>, options?: LoadOptions): Promise<Array<V | Error>>
  /** Remembers a value, or an `Error`, for this request, if the key has none yet. */
  prime(key: K, value: V | Error): this
  /** Forgets the value of a key: for this request, and in the cache where there is one. */
  clear(key: K): this
  /** Forgets all values: of this request, and in the cache where there is one. */
  clearAll(): this
  stats(): LoaderStats
  /**
   * Listens to an event. What a listener throws is reported as a process warning.
   * @returns a function that stops listening
   * @throws ERR_INVALID_OPTION for an event that is not one of {@link LoaderEvents}
   */
  on<N extends keyof LoaderEvents>(
    event: N,
    listener: (event: LoaderEvents[N]) => unknown,
  ): () => void
}

/** Counters since the loader was made, and what is going on now. */
export interface LoaderStats {
  /** Keys that were asked for. */
  readonly loads: number
  /** Of those, answered by the memo of their request, or by a load of it that was under way. */
  readonly hits: number
  /** Of those, already in the batch that was gathering. */
  readonly joined: number
  /** Batches that have started. */
  readonly batches: number
  /** Keys in those batches. */
  readonly keys: number
  /** Keys that failed. */
  readonly errors: number
  /** Batches in flight now. */
  readonly inFlight: number
  /** Batches that wait for their turn now, see `concurrency`. */
  readonly waiting: number
}

/** A batch that has ended. */
export interface BatchEvent {
  readonly loader: string
  /** Its keys. */
  readonly size: number
  readonly durationMs: number
  /** Of its keys. */
  readonly errors: number
}

/** What a loader tells those who listen. */
export interface LoaderEvents {
  batch: BatchEvent
  'n-plus-one': NPlusOne
}
