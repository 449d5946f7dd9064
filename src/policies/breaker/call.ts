import type { Timer } from '../../contracts/clock.ts'
import type { Admission } from '../../contracts/permit.ts'

/** What a call tells how it ended. */
interface CallOwner {
  succeeded(call: Call, value: unknown): void
  failed(call: Call, error: unknown): void
  dropped(call: Call): void
}

/** A call that has told its outcome belongs to no period. */
export const TOLD = 0

/** One call that a circuit has let through. */
export class Call implements Admission {
  /** The period of the circuit in which it began. */
  period: number
  readonly startedAt: number
  readonly isProbe: boolean
  /** Of a probe that nobody else bounds. */
  timer: Timer = undefined
  readonly #owner: CallOwner

  constructor(owner: CallOwner, period: number, startedAt: number, isProbe: boolean) {
    this.#owner = owner
    this.period = period
    this.startedAt = startedAt
    this.isProbe = isProbe
  }

  ended(outcome: { readonly value: unknown } | { readonly error: unknown }): void {
    if ('error' in outcome) this.#owner.failed(this, outcome.error)
    else this.#owner.succeeded(this, outcome.value)
  }

  dropped(): void {
    this.#owner.dropped(this)
  }
}
