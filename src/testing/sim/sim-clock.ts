import type { Clock, Timer } from '../../contracts/clock.ts'
import type { Event, Owner, VirtualTime } from './virtual-time.ts'

/** When a simulation begins, in milliseconds since 1970. */
export const SIM_START_MS = 1_700_000_000_000
/** Node cuts longer timers down to 1 ms, and the real clock never starts them. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What one process sees of the time: its own beginning, a wall clock that is off, and its pauses. */
export class SimClock implements Clock {
  readonly coarse: { readonly now: number }
  /** Timers that are waiting. */
  pending = 0
  /** Timers that were ever started. */
  started = 0
  skewMs = 0
  readonly #time: VirtualTime
  readonly #owner: Owner
  readonly #bootedAt: number

  constructor(time: VirtualTime, owner: Owner, bootedAt: number) {
    this.#time = time
    this.#owner = owner
    this.#bootedAt = bootedAt
    const now = (): number => this.now()
    this.coarse = {
      get now() {
        return now()
      },
    }
  }

  now(): number {
    return Math.floor(this.#time.now - this.#bootedAt)
  }

  wall(): number {
    return Math.floor(SIM_START_MS + this.#time.now + this.skewMs)
  }

  wake(): void {}

  setTimeout(task: () => void, ms: number): Timer {
    if (ms > LONGEST_TIMER_MS) return undefined
    this.pending++
    this.started++
    const event = this.#time.after(
      Math.max(0, ms),
      () => {
        this.pending--
        event.isCancelled = true
        task()
      },
      this.#owner,
    )
    return event
  }

  clearTimeout(timer: Timer): void {
    const event = timer as Event | undefined
    if (event === undefined || event.isCancelled) return
    event.isCancelled = true
    this.pending--
  }

  immediate(task: () => void): void {
    this.#time.after(0, task, this.#owner)
  }
}
