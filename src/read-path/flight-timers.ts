import type { Clock } from '../contracts/clock.ts'

/**
 * `look`: when a load that waits for another process looks at L2 again. `limit`: when one that goes on
 * in the background is given up.
 */
export type TimerName = 'soft' | 'hard' | 'look' | 'limit'

const NAMES: readonly TimerName[] = ['soft', 'hard', 'look', 'limit']

interface Running {
  readonly at: number
  readonly task: () => void
  handle: unknown
}

/** The timers of one load. They keep the process alive only while somebody waits for it. */
export class FlightTimers {
  readonly #clock: Clock
  readonly #running: Record<TimerName, Running | undefined> = {
    soft: undefined,
    hard: undefined,
    look: undefined,
    limit: undefined,
  }
  #isHeld: boolean

  constructor(clock: Clock, isHeld: boolean) {
    this.#clock = clock
    this.#isHeld = isHeld
  }

  /** Runs `task` at an instant of the clock, unless a timer of that name is running. */
  start(name: TimerName, at: number, task: () => void): void {
    if (at === Number.POSITIVE_INFINITY || this.#running[name] !== undefined) return
    const running: Running = {
      at,
      task: () => {
        this.#running[name] = undefined
        task()
      },
      handle: undefined,
    }
    this.#running[name] = running
    this.#set(running)
  }

  stop(name: TimerName): void {
    const running = this.#running[name]
    if (!running) return
    this.#clock.clearTimeout(running.handle)
    this.#running[name] = undefined
  }

  /** Whether it is only its turn that a timer still waits for. */
  isDue(name: TimerName): boolean {
    const at = this.#running[name]?.at
    return at !== undefined && at <= this.#clock.now()
  }

  stopAll(): void {
    for (const name of NAMES) this.stop(name)
  }

  /** Whether the process has to live until they fire: set anew when the first caller comes or the last goes. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return
    this.#isHeld = isHeld
    for (const name of NAMES) {
      const running = this.#running[name]
      if (!running) continue
      this.#clock.clearTimeout(running.handle)
      this.#set(running)
    }
  }

  #set(running: Running): void {
    const left = Math.max(0, running.at - this.#clock.now())
    running.handle = this.#clock.setTimeout(running.task, left, { unref: !this.#isHeld })
  }
}
