import type { ModelProfile } from '../models/model-profile.ts'

/** How much a new measurement of the size of tokens counts. */
const NEW_SHARE = 0.2
const LEAST_RATIO = 0.2
const GREATEST_RATIO = 5

/** What answers have said about a model. */
export class ModelMemory {
  /** Tokens of an answer's usage per estimated token; undefined: none has come. */
  ratio: number | undefined
  /** So many tokens were marked and not cached. */
  #tooShort = 0
  /** So many were cached. */
  #longEnough = Number.POSITIVE_INFINITY

  /** Estimated tokens are to be multiplied by this. */
  get scale(): number {
    return this.ratio ?? 1
  }

  measure(estimated: number, actual: number): void {
    if (estimated <= 0 || actual <= 0) return
    const ratio = Math.min(GREATEST_RATIO, Math.max(LEAST_RATIO, actual / estimated))
    this.ratio = this.ratio === undefined ? ratio : this.ratio * (1 - NEW_SHARE) + ratio * NEW_SHARE
  }

  /** Where nobody has said the minimum, it is learnt from what was cached and what was not. */
  minTokens({ minTokens }: ModelProfile): number {
    return minTokens ?? Math.min(this.#tooShort, this.#longEnough)
  }

  sawCached(tokens: number): void {
    this.#longEnough = Math.min(this.#longEnough, tokens)
  }

  sawUncached(tokens: number): void {
    this.#tooShort = Math.max(this.#tooShort, tokens + 1)
  }
}
