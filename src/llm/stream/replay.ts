import type { Clock, Timer } from '../../contracts/clock.ts'
import type { Recording } from './recording.ts'
import type { Place } from './stream-reader.ts'

/** How a replay is paced: times are divided by `speed`, and no gap is longer than `maxGapMs`. */
export interface Pace {
  /** `Infinity`: all at once. */
  readonly speed: number
  readonly maxGapMs: number
}

/** A stored stream, from its first item. */
export class Replay<T> implements Place<T> {
  readonly source = 'replay'
  readonly #recording: Recording<T>
  readonly #pace: Pace
  readonly #clock: Clock
  #index = 0
  /** The gap before the next item has passed. */
  #isDue: boolean
  #timer: Timer
  #wake: (() => void) | undefined

  constructor(recording: Recording<T>, pace: Pace, clock: Clock) {
    this.#recording = recording
    this.#pace = pace
    this.#clock = clock
    this.#isDue = this.#gap === 0
  }

  take(): IteratorResult<T, undefined> | undefined {
    const { items } = this.#recording
    if (this.#index >= items.length) return { done: true, value: undefined }
    if (!this.#isDue) return undefined
    const value = items[this.#index++] as T
    this.#isDue = this.#gap === 0
    return { done: false, value }
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      const due = (): void => {
        this.#isDue = true
        resolve()
      }
      this.#timer = this.#clock.setTimeout(due, this.#gap)
    })
  }

  leave(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#wake?.()
  }

  get #gap(): number {
    const { speed, maxGapMs } = this.#pace
    return Math.min(maxGapMs, (this.#recording.gaps[this.#index] ?? 0) / speed)
  }
}
