import type { Costs } from './cost-plan.ts'
import type { ConcurrencyLimit } from './limit.ts'

/** Weight of the latest in the average of how long a permit is held. */
const SMOOTHING = 0.2
/** What to expect before the first one was given back. */
const UNKNOWN_HOLD_MS = 100

/** What is in flight. */
export class Slots {
  /** How many permits hold something. */
  held = 0
  readonly #max: number[]
  readonly #used: number[]
  /** Where these dimensions begin in costs. */
  readonly #first: number
  #holdMs = UNKNOWN_HOLD_MS

  constructor(limits: readonly ConcurrencyLimit[], first: number) {
    this.#max = limits.map(({ max }) => max)
    this.#used = limits.map(() => 0)
    this.#first = first
  }

  get exist(): boolean {
    return this.#max.length > 0
  }

  fit(costs: Costs): boolean {
    for (let at = 0; at < this.#max.length; at++) {
      const used = (this.#used[at] as number) + (costs[this.#first + at] as number)
      if (used > (this.#max[at] as number)) return false
    }
    return true
  }

  take(costs: Costs): void {
    this.held++
    for (let at = 0; at < this.#max.length; at++) {
      this.#used[at] = (this.#used[at] as number) + (costs[this.#first + at] as number)
    }
  }

  free(costs: Costs, heldMs: number): void {
    this.held--
    this.#holdMs += (heldMs - this.#holdMs) * SMOOTHING
    for (let at = 0; at < this.#max.length; at++) {
      this.#used[at] = (this.#used[at] as number) - (costs[this.#first + at] as number)
    }
  }

  available(at: number): number {
    return (this.#max[at] as number) - (this.#used[at] as number)
  }

  /** When the next may be given back, by how long they have been held so far: a guess. */
  get nextFreeMs(): number {
    return Math.max(1, Math.round(this.#holdMs / Math.max(1, this.held)))
  }
}
