import type { LocalKey } from '../l1/local-level.ts'

/** More keys than fail at the same time for other reasons than that everything does. */
const MOST_KEYS = 1000

/**
 * When a failed origin is tried again, for keys whose stale value has no place in L1. The oldest are
 * forgotten beyond a bound: their origin is then called once more.
 */
export class RetryTimes {
  readonly #times = new Map<LocalKey, number>()

  get(key: LocalKey): number {
    return this.#times.get(key) ?? 0
  }

  set(key: LocalKey, at: number): void {
    this.#times.delete(key)
    this.#times.set(key, at)
    if (this.#times.size <= MOST_KEYS) return
    const [oldest] = this.#times.keys()
    if (oldest !== undefined) this.#times.delete(oldest)
  }

  delete(key: LocalKey): void {
    this.#times.delete(key)
  }
}
