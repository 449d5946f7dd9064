import type { OutcomeWindow, Tally } from './outcome-window.ts'

const FAILURE = 1
const SLOW = 2

/** The last calls, a byte each in a ring, with running totals. */
export class CountWindow implements OutcomeWindow {
  readonly #ring: Uint8Array
  #next = 0
  #calls = 0
  #failures = 0
  #slow = 0

  constructor(size: number) {
    this.#ring = new Uint8Array(size)
  }

  add(isFailure: boolean, isSlow: boolean): void {
    const place = this.#next
    if (this.#calls === this.#ring.length) this.#forget(this.#ring[place] as number)
    this.#ring[place] = (isFailure ? FAILURE : 0) | (isSlow ? SLOW : 0)
    this.#next = place + 1 === this.#ring.length ? 0 : place + 1
    this.#calls++
    if (isFailure) this.#failures++
    if (isSlow) this.#slow++
  }

  tally(): Tally {
    return { calls: this.#calls, failures: this.#failures, slow: this.#slow }
  }

  clear(): void {
    this.#next = this.#calls = this.#failures = this.#slow = 0
  }

  #forget(oldest: number): void {
    this.#calls--
    if (oldest & FAILURE) this.#failures--
    if (oldest & SLOW) this.#slow--
  }
}
