import type { Clock, Timer } from '../../../contracts/clock.ts'

/** What is watched of a socket. */
export interface Wire {
  readonly bytesRead: number
  readonly writableLength: number
}

/** A slow line takes so long for a large value, and no reply comes before it is through. */
const BYTES_PER_MS = 10_000

/**
 * Tells when a server owes a reply and sends nothing. Time in which this process itself was busy does
 * not count: what has arrived meanwhile is looked at first.
 */
export class SilenceWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #wire: () => Wire | undefined
  readonly #onSilent: () => void
  #owed = 0
  #timer: Timer | undefined
  #isStopped = false

  constructor(clock: Clock, limitMs: number, wire: () => Wire | undefined, onSilent: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#wire = wire
    this.#onSilent = onSilent
  }

  get owed(): number {
    return this.#owed
  }

  /** Something was sent that has a reply. */
  expect(): void {
    this.#owed++
    if (this.#timer === undefined) this.#arm()
  }

  /** It has come. The timer stays: one for a burst of commands is enough. */
  done(): void {
    this.#owed--
  }

  stop(): void {
    this.#isStopped = true
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    const wire = this.#wire()
    const read = wire?.bytesRead ?? 0
    const unsent = wire?.writableLength ?? 0
    const ms = this.#limitMs + unsent / BYTES_PER_MS
    this.#timer = this.#clock.setTimeout(() => this.#look(read, unsent), ms, { unref: true })
  }

  #look(read: number, unsent: number): void {
    this.#clock.immediate(() => {
      if (this.#isStopped) return
      this.#timer = undefined
      if (this.#owed === 0) return
      const wire = this.#wire()
      const isMoving = (wire?.bytesRead ?? 0) > read || (wire?.writableLength ?? 0) < unsent
      if (isMoving) this.#arm()
      else this.#onSilent()
    })
  }
}
