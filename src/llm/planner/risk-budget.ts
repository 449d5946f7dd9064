/** So many requests are planned by what is usual, before it is known whether that pays here. */
const FREE_REQUESTS = 5

/** Afterwards at most this share of all that is sent is risked on what nobody has seen used again. */
const RISKED_SHARE = 0.015

/** And at most this on what usually is used again here. */
const PROVEN_SHARE = 0.03

/**
 * Keeps a planner from losing money where nothing is worth caching: what is spent on guesses must have
 * been saved before, but for a small share.
 */
export class RiskBudget {
  #requests = 0
  #sent = 0
  #saved = 0

  /** @param premium what the request would cost more than without caching, in input tokens */
  allows(premium: number, isProven: boolean): boolean {
    if (premium <= 0 || this.#requests < FREE_REQUESTS) return true
    return premium <= this.#saved + this.#sent * (isProven ? PROVEN_SHARE : RISKED_SHARE)
  }

  book(baseline: number, cost: number): void {
    this.#requests++
    if (this.#requests <= FREE_REQUESTS) return
    this.#sent += baseline
    this.#saved += baseline - cost
  }
}
