/** So many are waiting that it never comes down to none: for those who cannot leave. */
const PINNED = 2 ** 29

interface SlotOwner {
  readonly isOver: boolean
  onLeave(): void
}

/** One key on its way: its promise, and who waits for it. */
export class Slot<K, V> {
  readonly key: K
  readonly promise: Promise<V>
  // Only declared: defined as fields they would be written twice, for each key of each batch.
  declare resolve: (value: V) => void
  declare reject: (error: unknown) => void
  /** It answers those who have it and nobody else: given up by all, or not to be remembered. */
  forgotten = false
  #waiters = 0
  readonly #batch: SlotOwner | undefined

  constructor(key: K, batch: SlotOwner | undefined, promise?: Promise<V>) {
    this.key = key
    this.#batch = batch
    this.promise =
      promise ??
      new Promise<V>((resolve, reject) => {
        this.resolve = resolve
        this.reject = reject
      })
  }

  /** A value that is there already. */
  static of<K, V>(key: K, value: V | PromiseLike<V> | Error): Slot<K, V> {
    const promise = value instanceof Error ? Promise.reject<V>(value) : Promise.resolve(value)
    // It is unhandled only if a load() of it is.
    promise.catch(() => {})
    return new Slot<K, V>(key, undefined, promise)
  }

  /** From now on nobody's leaving matters: somebody waits who cannot leave. */
  pin(): void {
    this.#waiters = PINNED
  }

  join(): void {
    this.#waiters++
  }

  /** One that has joined waits no more; a key that nobody wants leaves its batch. */
  leave(): void {
    this.#waiters--
    const batch = this.#batch
    if (this.#waiters > 0 || this.forgotten || batch === undefined || batch.isOver) return
    this.forgotten = true
    batch.onLeave()
  }
}
