import type { Clock, Timer } from '../../contracts/clock.ts'

/** One timer that can be set to another instant. It keeps the process alive: somebody waits for it. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: (now: number) => void
  #timer: Timer | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(clock: Clock, ring: (now: number) => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** @param at an instant of the clock; `Infinity`: not at all */
  set(at: number, now: number): void {
    if (at === this.#at) return
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#at = at
    this.#timer = undefined
    if (at === Number.POSITIVE_INFINITY) return
    const ring = (): void => {
      this.#timer = undefined
      this.#at = Number.POSITIVE_INFINITY
      this.#ring(this.#clock.now())
    }
    this.#timer = this.#clock.setTimeout(ring, Math.max(1, at - now))
  }
}
