import type { LocalKey } from '../l1/local-level.ts'

interface Running<V> {
  readonly writes: number
  readonly sequence: number
  readonly result: Promise<V>
}

/** Reads of L2 under way, by key: whoever wants the same, while nothing has changed, shares one. */
export class SharedReads<V> {
  readonly #running = new Map<LocalKey, Running<V>>()

  /** @param now as of when the caller wants it: a read begun before a later change will not do */
  share(
    key: LocalKey,
    now: { readonly writes: number; readonly sequence: number },
    begin: () => Promise<V>,
  ): Promise<V> {
    const present = this.#running.get(key)
    const isNewEnough = present?.writes === now.writes && present.sequence === now.sequence
    if (present && isNewEnough) return present.result
    const running = { ...now, result: begin() }
    this.#running.set(key, running)
    const done = (): void => {
      if (this.#running.get(key) === running) this.#running.delete(key)
    }
    running.result.then(done, done)
    return running.result
  }
}
