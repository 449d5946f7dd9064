import type { Clock, Timer } from '../../contracts/clock.ts'

/** Of the wait that is allowed: a probe may take so much of it, and the next begins after the rest. */
const PROBE_SHARE = 0.75

export type StoreState = 'connecting' | 'ready' | 'lost'

export interface WatchedStore {
  /** Resolves when the store has answered. */
  probe(): Promise<void>
  isWanted(): boolean
  onLost(): void
  onBack(): void
}

/**
 * Tells a store that does not answer from a limit that has no place: while jobs wait, the store is
 * asked something, again and again. Nothing runs while none waits.
 *
 * A job that has waited for `waitMs` has seen a whole probe fail, so the store is lost by then.
 */
export class StoreWatch {
  state: StoreState = 'connecting'
  readonly #store: WatchedStore
  readonly #clock: Clock
  readonly #waitMs: number
  #isProbing = false
  #isStopped = false
  #timer: Timer

  constructor(store: WatchedStore, clock: Clock, waitMs: number) {
    this.#store = store
    this.#clock = clock
    this.#waitMs = waitMs
  }

  /** A job has come. */
  wake(): void {
    if (this.state === 'lost') this.#ask()
    else if (this.#timer === undefined) this.#probe()
  }

  /** No job waits any more. */
  rest(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** For good. */
  stop(): void {
    this.#isStopped = true
    this.rest()
  }

  lose(): void {
    this.rest()
    if (this.state === 'lost' || this.#isStopped) return
    this.state = 'lost'
    this.#store.onLost()
  }

  #probe(): void {
    this.#timer = this.#clock.setTimeout(() => this.lose(), this.#waitMs * PROBE_SHARE)
    this.#ask()
  }

  /** At most one question is open: at a store that hangs, they would pile up. */
  #ask(): void {
    if (this.#isProbing) return
    this.#isProbing = true
    this.#store.probe().then(
      () => {
        this.#isProbing = false
        this.#answered()
      },
      () => {
        this.#isProbing = false
        this.lose()
      },
    )
  }

  #answered(): void {
    this.rest()
    if (this.#isStopped) return
    const wasLost = this.state === 'lost'
    this.state = 'ready'
    if (wasLost) this.#store.onBack()
    if (this.#store.isWanted()) this.#probeLater()
  }

  #probeLater(): void {
    const onTimer = (): void => {
      this.#timer = undefined
      this.#probe()
    }
    this.#timer = this.#clock.setTimeout(onTimer, this.#waitMs * (1 - PROBE_SHARE))
  }
}
