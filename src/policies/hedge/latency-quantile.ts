/** Neighbouring buckets differ by a twentieth, so an estimate is off by 2.5 % at most. */
const GROWTH = 1.05
/** The last one is for all above seven hours. */
const BUCKETS = 350
/** When so many are counted, all counts are halved: what is older weighs less and less. */
const WINDOW = 1000
/** Before that an estimate of a tail would be a guess. */
const LEAST = 20
/** An estimate is used for so many samples. */
const REUSED = 16

/**
 * A quantile of durations, estimated as they come, in constant memory (1.4 kB): counts in buckets
 * of geometrically growing width, as in DDSketch (Masson, Rim and Lee, VLDB 2019), halved now and
 * then so that the recent past counts most.
 */
export class LatencyQuantile {
  readonly #counts = new Float32Array(BUCKETS)
  readonly #quantile: number
  #total = 0
  #seen = 0
  #estimate: number | undefined
  #estimatedAt = Number.NEGATIVE_INFINITY

  /** @param quantile between 0 and 1 */
  constructor(quantile: number) {
    this.#quantile = quantile
  }

  /** @param ms one duration, in milliseconds */
  record(ms: number): void {
    const bucket = ms <= 1 ? 0 : Math.ceil(Math.log(ms) / Math.log(GROWTH))
    const at = Math.min(bucket, BUCKETS - 1)
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#total++
    this.#seen++
    if (this.#total >= WINDOW) this.#halve()
  }

  /** Milliseconds; `undefined` before 20 were recorded. */
  get estimate(): number | undefined {
    if (this.#seen < LEAST) return undefined
    if (this.#seen - this.#estimatedAt >= REUSED) {
      this.#estimate = this.#compute()
      this.#estimatedAt = this.#seen
    }
    return this.#estimate
  }

  #halve(): void {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i] = (this.#counts[i] as number) / 2
    this.#total /= 2
  }

  #compute(): number {
    const rank = this.#quantile * this.#total
    let below = 0
    for (let i = 0; i < BUCKETS; i++) {
      below += this.#counts[i] as number
      // The middle of the bucket, in the sense that the relative error is the same to both sides.
      if (below >= rank) return i === 0 ? 1 : (2 * GROWTH ** i) / (GROWTH + 1)
    }
    return GROWTH ** (BUCKETS - 1)
  }
}
