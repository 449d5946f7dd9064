import type { Clock } from '../contracts/clock.ts'

/** A measurement serves so long: two clocks drift apart by milliseconds in that time. */
const SERVES_MS = 30_000

/** One exchange of the store's time: it was told somewhere between sending and receiving. */
interface Sample {
  readonly offset: number
  readonly roundTripMs: number
  readonly at: number
}

/**
 * The store's time by this process's clock. Of the replies of the last 30 s that with the shortest
 * round trip is believed, whose error is at most half of that: a reply that was kept waiting says
 * little about when it was written.
 */
export class StoreClock {
  readonly #clock: Clock
  #best: Sample | undefined
  /** The best of the younger half, for when the best has become too old. */
  #next: Sample | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param now of the clock, where the caller has just read it */
  now(now?: number): number {
    const best = this.#best
    return best === undefined ? this.#clock.wall() : (now ?? this.#clock.now()) + best.offset
  }

  /** A reply to what was sent at `sentAt` has come, with the store's time in it. */
  note(storeTime: number, sentAt: number): void {
    const at = this.#clock.now()
    const roundTripMs = at - sentAt
    // Whole milliseconds, as all instants are.
    const sample = { offset: Math.round(storeTime - sentAt - roundTripMs / 2), roundTripMs, at }
    const best = this.#best
    if (best === undefined || !agree(best, sample)) {
      // The store's clock was set, or it is another server.
      this.#best = sample
      this.#next = undefined
      return
    }
    if (roundTripMs <= best.roundTripMs) {
      this.#best = sample
      this.#next = undefined
      return
    }
    if (at - best.at >= SERVES_MS / 2) this.#considerNext(sample)
    if (at - best.at >= SERVES_MS) {
      this.#best = this.#next ?? sample
      this.#next = undefined
    }
  }

  #considerNext(sample: Sample): void {
    const next = this.#next
    if (next === undefined || sample.roundTripMs <= next.roundTripMs) this.#next = sample
  }
}

/** Whether one offset can be behind both; each of four readings is rounded. */
function agree(one: Sample, other: Sample): boolean {
  const slack = (one.roundTripMs + other.roundTripMs) / 2 + 2
  return Math.abs(one.offset - other.offset) <= slack
}
