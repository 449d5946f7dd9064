import type { Budget } from './budget.ts'
import type { Costs } from './cost-plan.ts'
import type { RateLimit } from './limit.ts'

/** Rounding errors of additions, far below a timer's step. */
const NOTHING_MS = 1e-6

/**
 * Token buckets as the generic cell rate algorithm keeps them (ITU-T I.371, "virtual scheduling"): of
 * each bucket only the instant at which it is full again. Nothing runs while time passes, and what is
 * given back beyond a full bucket is lost, as it should be.
 */
export class TokenBuckets implements Budget {
  readonly #fullAt: number[]
  readonly #msPerToken: number[]
  readonly #burst: number[]

  /** @param share of the rates, from 0 to 1 */
  constructor(rates: readonly RateLimit[], share = 1) {
    this.#fullAt = rates.map(() => Number.NEGATIVE_INFINITY)
    this.#msPerToken = rates.map(({ amount, periodMs }) => periodMs / (amount * share))
    this.#burst = rates.map(({ burst }) => burst * share)
  }

  wait(now: number, costs: Costs, ahead?: Costs): number {
    let longest = 0
    for (let at = 0; at < this.#fullAt.length; at++) {
      const cost = costs[at] as number
      const total = ahead === undefined ? cost : cost + (ahead[at] as number)
      if (total === 0) continue
      // A share of a burst may be less than one call: a full bucket is then enough for it.
      const room = Math.max(this.#burst[at] as number, cost)
      const ms = this.#owing(now, at) + (total - room) * (this.#msPerToken[at] as number)
      if (ms > longest) longest = ms
    }
    return longest < NOTHING_MS ? 0 : longest
  }

  take(now: number, costs: Costs): void {
    for (let at = 0; at < this.#fullAt.length; at++) {
      const cost = costs[at] as number
      if (cost > 0) this.charge(now, at, cost)
    }
  }

  charge(now: number, at: number, amount: number): void {
    this.#fullAt[at] = now + this.#owing(now, at) + amount * (this.#msPerToken[at] as number)
  }

  lower(now: number, at: number, remaining: number): void {
    const missing = ((this.#burst[at] as number) - remaining) * (this.#msPerToken[at] as number)
    this.fullIn(now, at, Math.max(missing, this.#owing(now, at)))
  }

  available(now: number, at: number): number {
    return (this.#burst[at] as number) - this.missing(now, at)
  }

  /** How far the bucket is from being full. */
  missing(now: number, at: number): number {
    return this.#owing(now, at) / (this.#msPerToken[at] as number)
  }

  /** Sets when the bucket is full. */
  fullIn(now: number, at: number, ms: number): void {
    this.#fullAt[at] = now + ms
  }

  /** Time brings more. */
  replenish(): void {}

  refused(): void {}

  refusedFor(): number {
    return 0
  }

  paused(): void {}

  close(): void {}

  #owing(now: number, at: number): number {
    const ms = (this.#fullAt[at] as number) - now
    return Math.max(ms, 0)
  }
}
