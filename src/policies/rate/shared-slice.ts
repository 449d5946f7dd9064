import type { Costs } from './cost-plan.ts'
import type { RateLimit } from './limit.ts'

/** A slice is not asked for in smaller parts than the rate brings in that time. */
const SLICE_MS = 50
/** Of the burst, what all processes together may hold unused. */
const UNUSED_SHARE = 0.2
/** No process holds more than this part of it. */
const FEWEST_SHARERS = 4
/** A rate of use is not judged by less time. */
const JUDGED_MS = 20

/** Of a cost, what sums of fractions may be wrong by. */
const ROUNDING = 1e-9

/** What is asked for of one rate. */
export interface Asked {
  /** To be added to what the processes have taken; less than 0: given back. */
  readonly charge: number
  /** This much in any case, when it is there. */
  readonly least: number
  /** Up to this if there is plenty. */
  readonly most: number
}

/** Of one rate: what this process has leased, and what it has taken that Redis has not heard of. */
export class SharedSlice {
  /** Leased and not used. */
  stock = 0
  /** Leased, to be used later. */
  coming = 0
  /** Taken or charged beyond what was leased. */
  owed = 0
  /** Asked for in vain since the last question. */
  tried = 0
  readonly msPerToken: number
  readonly burst: number
  #used = 0
  #usedSince = 0
  #perMs = 0

  constructor({ amount, periodMs, burst }: RateLimit) {
    this.msPerToken = periodMs / amount
    this.burst = burst
  }

  take(cost: number): void {
    this.#used += cost
    this.owed += this.missing(cost)
    this.stock = Math.max(0, this.stock - cost)
  }

  /** How far a cost goes beyond what is at hand. */
  missing(cost: number): number {
    const missing = cost - this.stock
    return missing > cost * ROUNDING ? missing : 0
  }

  /** More, or less than 0: back. */
  charge(amount: number): void {
    this.owed += amount
    if (this.owed >= 0) return
    this.stock -= this.owed
    this.owed = 0
  }

  arrive(): void {
    this.stock += this.coming
    this.coming = 0
  }

  /** What to have at hand: what this process uses in the time of a slice. */
  reserve(instances: number): number {
    return Math.min(this.#perMs * SLICE_MS, this.#mostUnused(instances))
  }

  /** Somebody would have taken that much at once; it may not come again, so it adds up to little. */
  want(cost: number, instances: number): void {
    this.tried = Math.max(cost, Math.min(this.tried + cost, this.#mostUnused(instances)))
  }

  isLow(instances: number): boolean {
    return this.stock < this.reserve(instances) / 2
  }

  /** Judges how fast tokens are used, before it is asked for more of them. */
  measure(now: number): void {
    const elapsed = now - this.#usedSince
    if (elapsed < JUDGED_MS) return
    this.#perMs = this.#used / elapsed
    this.#used = 0
    this.#usedSince = now
  }

  /** Makes up a question, and takes what it charges and gives back out of the books. */
  ask(first: number, queued: number, instances: number): Asked {
    const wanted = queued + this.tried
    const slice = Math.min(SLICE_MS / this.msPerToken, this.burst)
    const unused = Math.max(0, this.stock - wanted - this.reserve(instances))
    const least = Math.max(first - this.stock, Math.min(wanted - this.stock, slice), 0)
    const enough = Math.max(slice, this.#mostUnused(instances))
    const useful = Math.min(wanted + this.reserve(instances), first + enough)
    const most = Math.max(least, useful - this.stock)
    const charge = this.owed - unused
    this.owed = 0
    this.stock -= unused
    this.tried = 0
    return { charge, least, most }
  }

  /** As `ask`, but for nothing: only tells what was taken, and gives back what nobody waits for. */
  settle(queued: number, instances: number): Asked {
    const unused = Math.max(0, this.stock - queued - this.reserve(instances))
    const charge = this.owed - unused
    this.owed = 0
    this.stock -= unused
    return { charge, least: 0, most: 0 }
  }

  #mostUnused(instances: number): number {
    return (this.burst * UNUSED_SHARE) / Math.max(FEWEST_SHARERS, instances)
  }

  /** Drops what was leased. @returns what this process has taken beyond it */
  clear(): number {
    const net = this.owed - this.stock
    this.owed = 0
    this.stock = 0
    this.coming = 0
    this.tried = 0
    return net
  }
}

/** Whether there is something that Redis should hear of, or get back. */
export function isUnsettled({ owed, stock, coming }: SharedSlice): boolean {
  return owed > 0 || stock > 0 || coming > 0
}

/** How far `costs` go beyond what is at hand, in all rates. */
export function lacks(slices: readonly SharedSlice[], costs: Costs): boolean {
  return slices.some((slice, at) => slice.missing(costs[at] as number) > 0)
}
