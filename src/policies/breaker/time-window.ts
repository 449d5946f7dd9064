import type { EventEmitter } from 'node:events'
import type CircuitBreaker from 'opossum'
import type { OutcomeWindow, Tally } from './outcome-window.ts'

/** A slice of the window: the members of opossum's that count here, and the slow calls. */
interface Bucket {
  successes: number
  failures: number
  slow: number
}

/** In place of the list in which opossum keeps every latency, even if nobody asked for percentiles. */
const FORGETS: number[] = Object.assign([], { push: () => 0 })

/**
 * The calls of the last while, in slices. Once opossum is loaded it counts them, in the buckets of its
 * statistics; until then they are counted here, and handed over. Its own timer does not run and its
 * `stats` are not read, for these sort every latency of the window: the call that finds the newest slice
 * over makes opossum turn its buckets, and a tally sums them.
 */
export class TimeWindow implements OutcomeWindow {
  readonly #bucketMs: number
  /** Newest first, as opossum has them. */
  #buckets: Bucket[]
  #newestEndsAt = Number.NEGATIVE_INFINITY
  #counter: { readonly opossum: CircuitBreaker; readonly rotation: EventEmitter } | undefined

  constructor(durationMs: number, buckets: number) {
    this.#bucketMs = durationMs / buckets
    this.#buckets = Array.from({ length: buckets }, emptyBucket)
  }

  add(isFailure: boolean, isSlow: boolean, now: number): void {
    if (now >= this.#newestEndsAt) this.#advance(now)
    const newest = this.#buckets[0] as Bucket
    const opossum = this.#counter?.opossum
    if (opossum) opossum.emit(isFailure ? 'failure' : 'success')
    else if (isFailure) newest.failures++
    else newest.successes++
    if (isSlow) newest.slow++
  }

  tally(): Tally {
    let successes = 0
    let failures = 0
    let slow = 0
    for (const bucket of this.#buckets) {
      successes += bucket.successes
      failures += bucket.failures
      slow += bucket.slow
    }
    return { calls: successes + failures, failures, slow }
  }

  clear(): void {
    this.#turn(this.#buckets.length)
    this.#newestEndsAt = Number.NEGATIVE_INFINITY
  }

  /** opossum counts from now on. It turns its buckets when `rotation` emits `rotate`. */
  countWith(opossum: CircuitBreaker, rotation: EventEmitter): void {
    this.#counter = { opossum, rotation }
    const counted = this.#buckets
    this.#buckets = bucketsOf(opossum)
    this.#buckets.forEach((bucket, place) => {
      Object.assign(bucket, counted[place], { latencyTimes: FORGETS })
    })
  }

  /** As before opossum was loaded, with what it has counted. */
  countAlone(): void {
    this.#counter = undefined
  }

  #advance(now: number): void {
    const passed = Math.floor((now - this.#newestEndsAt) / this.#bucketMs) + 1
    this.#turn(Math.min(passed, this.#buckets.length))
    const isContinued = passed <= this.#buckets.length
    this.#newestEndsAt = isContinued
      ? this.#newestEndsAt + passed * this.#bucketMs
      : now + this.#bucketMs
  }

  #turn(steps: number): void {
    for (let step = 0; step < steps; step++) {
      if (this.#counter) {
        this.#counter.rotation.emit('rotate')
        this.#buckets = bucketsOf(this.#counter.opossum)
        Object.assign(this.#buckets[0] as Bucket, { slow: 0, latencyTimes: FORGETS })
      } else {
        this.#buckets.pop()
        this.#buckets.unshift(emptyBucket())
      }
    }
  }
}

function emptyBucket(): Bucket {
  return { successes: 0, failures: 0, slow: 0 }
}

/** A new array of the very buckets in which opossum counts. */
function bucketsOf(opossum: CircuitBreaker): Bucket[] {
  return opossum.status.window as unknown as Bucket[]
}
