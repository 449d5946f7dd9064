import type { ResilienceError } from '../kernel/errors.ts'
import type { Cost, RunOptions } from './runner.ts'

// The manual forms of breaker, limiter and bulkhead. A guard uses these, so that a call through all of
// them has one signal and one timer; as Runners each of them would bring its own.

/** Leave to go on. Giving it back twice does no harm. */
export interface Permit extends Disposable {
  readonly ok: true
  /** Charges or gives back the difference to what was estimated, and frees what is held in flight. */
  settle(actual?: Cost): void
  /** The estimate was right. */
  release(): void
}

export interface Refusal {
  readonly ok: false
  /** When it is worth trying again, in milliseconds. */
  readonly retryAfterMs: number
}

/** Where a {@link PermitSource} has what it offers to those who would wait otherwise. */
export const ACQUIRE_NOW: unique symbol = Symbol.for('@org/resilient-cache/acquire-now') as never

/** A limiter or a bulkhead. */
export interface PermitSource {
  /** Never waits. */
  tryAcquire(cost?: Cost): Permit | Refusal
  acquire(cost?: Cost, options?: RunOptions): Promise<Permit>
  /** For one where a refusal by `tryAcquire` counts as a rejected call: here it counts as none. */
  [ACQUIRE_NOW]?(cost?: Cost): Permit | undefined
}

/** One call that a breaker lets through. Exactly one of the two is called, once. */
export interface Admission {
  /** @param outcome the value, or the error that it ended with */
  ended(outcome: { readonly value: unknown } | { readonly error: unknown }): void
  /** It says nothing of the dependency: never begun, or given up by its caller. */
  dropped(): void
}

/** A breaker. */
export interface BreakerGate {
  /** Leave, or the error that the call is rejected with. Never throws, and makes no promise. */
  admit(): Admission | ResilienceError
}
