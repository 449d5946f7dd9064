import type { Clock, Timer } from '../contracts/clock.ts'
import { type Duration, toMs } from '../kernel/duration.ts'

interface Waiting {
  readonly at: number
  readonly order: number
  readonly task: () => void
}

/**
 * A clock that moves only when told to. Give it to `createCache({ clock })` and time in your tests
 * becomes exact: no sleeping, no flaky waits.
 *
 * ```ts
 * const clock = new FakeClock()
 * const cache = createCache({ clock, ttl: '1m' })
 * await clock.advance('61s')   // fires what is due, in order, and lets promises settle in between
 * ```
 */
export class FakeClock implements Clock {
  /** Always exact and always awake. */
  readonly coarse: { now: number }
  #now: number
  #order = 0
  readonly #waiting = new Set<Waiting>()

  /** @param startMs what the clock reads at first, in milliseconds. @default 0 */
  constructor(startMs = 0) {
    this.#now = startMs
    this.coarse = { now: startMs }
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#now
  }

  wake(): void {}

  setTimeout(task: () => void, ms: number): Timer {
    const waiting: Waiting = { at: this.#now + Math.max(0, ms), order: this.#order++, task }
    this.#waiting.add(waiting)
    return waiting
  }

  clearTimeout(timer: Timer): void {
    this.#waiting.delete(timer as Waiting)
  }

  /** Nothing arrives while time stands still, so it is now. */
  immediate(task: () => void): void {
    queueMicrotask(task)
  }

  /** Timers that are waiting: 0 when nothing was left behind. */
  get pending(): number {
    return this.#waiting.size
  }

  /**
   * Moves the clock, firing every timer that falls due on the way at its own instant, and lets
   * promises settle before, between and after.
   */
  async advance(by: Duration): Promise<void> {
    const end = this.#now + toMs(by, 'advance')
    await settle()
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.#waiting.delete(next)
      this.#moveTo(Math.max(this.#now, next.at))
      next.task()
      await settle()
    }
    // Another call may have moved it further meanwhile, and it never goes back.
    this.#moveTo(Math.max(this.#now, end))
    await settle()
  }

  #moveTo(instant: number): void {
    this.#now = instant
    this.coarse.now = instant
  }

  #due(end: number): Waiting | undefined {
    let first: Waiting | undefined
    for (const waiting of this.#waiting) {
      if (waiting.at > end) continue
      if (
        !first ||
        waiting.at < first.at ||
        (waiting.at === first.at && waiting.order < first.order)
      ) {
        first = waiting
      }
    }
    return first
  }
}

/** Two turns of the event loop: promises, and whatever they scheduled by setImmediate, are through. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
