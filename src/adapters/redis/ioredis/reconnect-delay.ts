import type { FailureKind } from './redis-errors.ts'

/** Two attempts of one client are never closer than this. */
const LEAST_MS = 25
/** A server that accepts again is used within 100 ms. */
const PASSING_MS = 80
const NAME_MS = 1000
const SETTING_FIRST_MS = 5000
const SETTING_MS = 15_000
/** A connection that did not live so long has changed nothing. */
const LASTING_MS = 1000

/** When the next attempt to connect begins. */
export class ReconnectDelay {
  readonly #random: () => number
  #failures = 0
  #attemptAt = Number.NEGATIVE_INFINITY

  constructor(random: () => number) {
    this.#random = random
  }

  attempted(now: number): void {
    this.#attemptAt = now
  }

  /** Milliseconds from now. Jittered: processes that were cut off together come back apart. */
  after(kind: FailureKind, now: number): number {
    const step = 2 ** Math.min(this.#failures++, 20)
    const jitter = 0.6 + 0.4 * this.#random()
    if (kind === 'setting') {
      // Never below 5 s, so that wrong credentials neither flood the log nor lock the account.
      const base = Math.min(SETTING_FIRST_MS * step, SETTING_MS)
      return Math.max(SETTING_FIRST_MS, base * jitter)
    }
    const most = kind === 'name' ? NAME_MS : PASSING_MS
    const ms = Math.max(LEAST_MS, Math.min(2 * LEAST_MS * step, most) * jitter)
    return Math.max(ms, this.soon(now))
  }

  /** The same where something has just changed, so that there is no reason to wait. */
  soon(now: number): number {
    return Math.max(0, this.#attemptAt + LEAST_MS - now)
  }

  /** A connection has ended that was usable for so long. */
  lived(ms: number): void {
    if (ms >= LASTING_MS) this.#failures = 0
  }

  reset(): void {
    this.#failures = 0
  }
}
