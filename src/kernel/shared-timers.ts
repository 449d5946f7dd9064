import type { Clock, Timer } from '../contracts/clock.ts'

/** One timer of the clock, for all that is due at the same instant. */
interface Group {
  readonly at: number
  readonly isHeld: boolean
  readonly timers: SharedTimer[]
  left: number
  timer: Timer | undefined
}

/** Something that is due at an instant, unless it is stopped before. */
export interface SharedTimer {
  readonly group: Group
  task: (() => void) | undefined
}

/**
 * Timers that cost next to nothing where many begin at the same time, and almost all of them are
 * stopped before they are due: those for one instant are one timer of the clock.
 */
export class SharedTimers {
  readonly #clock: Clock
  #latest: Group | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param isHeld whether the process has to live until then */
  start(task: () => void, at: number, isHeld: boolean): SharedTimer {
    const latest = this.#latest
    const group =
      latest !== undefined && latest.at === at && latest.isHeld === isHeld
        ? latest
        : this.#begin(at, isHeld)
    const timer: SharedTimer = { group, task }
    group.timers.push(timer)
    group.left++
    return timer
  }

  /** Nothing happens where it has fired, or was stopped before. */
  stop(timer: SharedTimer): void {
    if (timer.task === undefined) return
    timer.task = undefined
    const { group } = timer
    if (--group.left > 0) return
    this.#clock.clearTimeout(group.timer)
    if (this.#latest === group) this.#latest = undefined
  }

  #begin(at: number, isHeld: boolean): Group {
    const group: Group = { at, isHeld, timers: [], left: 0, timer: undefined }
    this.#latest = group
    const ms = Math.max(0, at - this.#clock.now())
    group.timer = this.#clock.setTimeout(() => this.#due(group), ms, { unref: !isHeld })
    return group
  }

  #due(group: Group): void {
    if (this.#latest === group) this.#latest = undefined
    for (const timer of group.timers) {
      const { task } = timer
      timer.task = undefined
      task?.()
    }
  }
}
