import type { Clock } from '../contracts/clock.ts'

/** A timer that comes later than this was kept waiting by this process, not by L2. */
const BLOCKED_MS = 20

/** Somebody who waits for L2, no longer than its deadline. */
export interface Waiter {
  readonly isOver: boolean
  /** The deadline has passed, and what had arrived until then has been handled. */
  onDue(deadline: Deadline): void
}

/** One instant for all who began to wait at the same time. */
export interface Deadline {
  /** The timer has fired. */
  readonly isDue: boolean
  /** It fired late: this process was blocked, and had no chance to hear the reply. */
  readonly wasBlocked: boolean
}

class Group implements Deadline {
  readonly at: number
  readonly waiters: Waiter[] = []
  left = 0
  timer: unknown
  isDue = false
  wasBlocked = false

  constructor(at: number) {
    this.at = at
  }
}

/** The deadlines of L2's operations: one timer for all that were begun at the same time. */
export class Deadlines {
  readonly #clock: Clock
  readonly #ms: () => number
  #latest: Group | undefined

  constructor(clock: Clock, ms: () => number) {
    this.#clock = clock
    this.#ms = ms
  }

  /**
   * The waiter is called at the deadline, unless it is over and has left by then.
   * @param until an earlier one, for who has waited before
   */
  join(waiter: Waiter, until = Number.POSITIVE_INFINITY): Deadline {
    const at = Math.min(until, this.#clock.now() + this.#ms())
    const group = this.#latest?.at === at ? this.#latest : this.#begin(at)
    group.waiters.push(waiter)
    group.left++
    return group
  }

  /** Called once for each `join`, when the waiter is over. */
  leave(deadline: Deadline): void {
    const group = deadline as Group
    if (--group.left > 0) return
    this.#clock.clearTimeout(group.timer)
    if (this.#latest === group) this.#latest = undefined
  }

  #begin(at: number): Group {
    const group = new Group(at)
    this.#latest = group
    group.timer = this.#clock.setTimeout(() => this.#due(group), at - this.#clock.now())
    return group
  }

  #due(group: Group): void {
    group.isDue = true
    group.wasBlocked = this.#clock.now() - group.at > BLOCKED_MS
    if (this.#latest === group) this.#latest = undefined
    // Timers go before what came in through the network while this process was busy.
    this.#clock.immediate(() => {
      for (const waiter of group.waiters) if (!waiter.isOver) waiter.onDue(group)
    })
  }
}
