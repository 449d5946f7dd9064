import type { Costs } from './cost-plan.ts'

/** What the rates of a limiter still allow: by itself, or as its part of what is shared. */
export interface Budget {
  /**
   * How many milliseconds it takes until `costs` can be taken, after `ahead` was; 0 when they can
   * now. `Infinity`: nobody knows yet, the limiter will be woken.
   */
  wait(now: number, costs: Costs, ahead?: Costs): number
  take(now: number, costs: Costs): void
  /** Charges one dimension that much more; less than nothing is given back. */
  charge(now: number, dimension: number, amount: number): void
  /** Somebody who knows says that no more than so much is left. */
  lower(now: number, dimension: number, remaining: number): void
  /** Below 0 where more was charged than there was. */
  available(now: number, dimension: number): number
  /** `costs` cannot be taken: look for more. */
  replenish(now: number, costs: Costs): void
  /** Somebody was refused by what is known: it may be different by now. */
  refused(now: number): void
  /** Nothing may be taken, and nobody may wait, for so many milliseconds. */
  refusedFor(now: number): number
  /** The limiter was told to pause. */
  paused(now: number, ms: number): void
  close(now: number): void
}
