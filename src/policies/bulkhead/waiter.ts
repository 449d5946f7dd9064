import type { Clock, Timer } from '../../contracts/clock.ts'
import type { ResilienceError } from '../../kernel/errors.ts'
import type { Standing } from './waiting-line.ts'

/** What becomes of somebody who waits. */
export interface WaiterEnd {
  entered(): void
  left(error: ResilienceError): void
}

/** What may end the waiting besides a place. */
export interface Patience {
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly waitMs: number
  onAbort(waiter: Waiter): void
  onTimeout(waiter: Waiter): void
}

/** One caller who waits for a place. Whatever ends that, no listener and no timer stay behind. */
export class Waiter implements Standing {
  readonly priority: number
  readonly weight: number
  before: Standing | undefined
  behind: Standing | undefined
  readonly #end: WaiterEnd
  readonly #patience: Patience
  readonly #onAbort: (() => void) | undefined
  readonly #timer: Timer

  constructor(weight: number, priority: number, end: WaiterEnd, patience: Patience) {
    this.weight = weight
    this.priority = priority
    this.#end = end
    this.#patience = patience
    const { clock, signal, waitMs } = patience
    if (signal) {
      this.#onAbort = () => patience.onAbort(this)
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    if (waitMs !== Number.POSITIVE_INFINITY) {
      this.#timer = clock.setTimeout(() => patience.onTimeout(this), waitMs)
    }
  }

  enter(): void {
    this.#cease()
    this.#end.entered()
  }

  leave(error: ResilienceError): void {
    this.#cease()
    this.#end.left(error)
  }

  #cease(): void {
    const { clock, signal } = this.#patience
    if (this.#onAbort) signal?.removeEventListener('abort', this.#onAbort)
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
  }
}
