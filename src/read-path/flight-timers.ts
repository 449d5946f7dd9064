import type { SharedTimer, SharedTimers } from '../kernel/shared-timers.ts'

/**
 * `look`: when a load that waits for another process looks at L2 again. `limit`: when one that goes on
 * in the background is given up.
 */
export type TimerName = 'soft' | 'hard' | 'look' | 'limit'

interface Running {
  readonly name: TimerName
  readonly at: number
  readonly task: () => void
  timer: SharedTimer
}

/** The timers of one load. They keep the process alive only while somebody waits for it. */
export class FlightTimers {
  readonly #timers: SharedTimers
  /** One or two at a time. */
  readonly #running: Running[] = []
  #isHeld: boolean

  constructor(timers: SharedTimers, isHeld: boolean) {
    this.#timers = timers
    this.#isHeld = isHeld
  }

  isRunning(name: TimerName): boolean {
    return this.#place(name) >= 0
  }

  /** Runs `task` at an instant of the clock, unless a timer of that name is running. */
  start(name: TimerName, at: number, task: () => void): void {
    if (at === Number.POSITIVE_INFINITY || this.isRunning(name)) return
    const fire = (): void => {
      this.stop(name)
      task()
    }
    this.#running.push({ name, at, task: fire, timer: this.#timers.start(fire, at, this.#isHeld) })
  }

  stop(name: TimerName): void {
    const place = this.#place(name)
    if (place < 0) return
    const [running] = this.#running.splice(place, 1)
    if (running) this.#timers.stop(running.timer)
  }

  /** Whether its instant has passed, and only its turn is still to come. */
  isDue(name: TimerName, now: number): boolean {
    const running = this.#running[this.#place(name)]
    return running !== undefined && running.at <= now
  }

  stopAll(): void {
    for (const { timer } of this.#running) this.#timers.stop(timer)
    this.#running.length = 0
  }

  /** Whether the process has to live until they fire: set anew when the first caller comes or the last goes. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return
    this.#isHeld = isHeld
    for (const running of this.#running) {
      this.#timers.stop(running.timer)
      running.timer = this.#timers.start(running.task, running.at, isHeld)
    }
  }

  #place(name: TimerName): number {
    let place = this.#running.length - 1
    while (place >= 0 && this.#running[place]?.name !== name) place--
    return place
  }
}
