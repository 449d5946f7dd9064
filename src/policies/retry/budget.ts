import type { Clock } from '../../contracts/clock.ts'

/** What there is before any traffic: a service that has just started may repeat too. */
const AT_FIRST = 10
/** So many may be saved up by traffic that needed none, for a short outage of all. */
const MOST = 100
/** Comes by itself, so that a service with hardly any traffic may repeat at all. */
const PER_SECOND = 0.1
/** Counted in thousandths: whole numbers are cheaper to keep than fractions. */
const ONE = 1000

/**
 * How many calls may be repeated, as a share of all calls: a bucket that each call fills by that share
 * and that each repetition takes one from. When everything fails, repeating everything would multiply
 * the load just then; the bucket is soon empty, and what is left is the share.
 *
 * As in Finagle's `RetryBudget` (deposits by traffic and a reserve by time) with the small fixed
 * bucket of gRPC's retry throttling (proposal A6).
 */
export class Budget {
  #left: number
  #filledAt: number
  readonly #deposit: number
  readonly #clock: Clock

  /** @param share of the traffic, from 0 */
  constructor(share: number, clock: Clock) {
    this.#deposit = Math.round(share * ONE)
    this.#left = share > 0 ? AT_FIRST * ONE : 0
    this.#filledAt = clock.now()
    this.#clock = clock
  }

  /** One more call: part of the traffic. */
  deposit(): void {
    this.#left = Math.min(MOST * ONE, this.#left + this.#deposit)
  }

  /** @returns whether there is one left; it is taken then */
  tryTake(): boolean {
    if (this.#left < ONE) this.#fill()
    if (this.#left < ONE) return false
    this.#left -= ONE
    return true
  }

  /** Looked at only when the bucket is empty, so that a call reads no clock for it. */
  #fill(): void {
    if (this.#deposit === 0) return
    const now = this.#clock.now()
    const came = ((now - this.#filledAt) * PER_SECOND * ONE) / 1000
    if (came < ONE) return
    this.#left = Math.min(AT_FIRST * ONE, this.#left + Math.floor(came))
    this.#filledAt = now
  }
}
