import type { Clock, Timer } from '../contracts/clock.ts'
import { afterPromiseJobs } from './promise-jobs.ts'

/** How long a batch gathers keys: to the end of the promise jobs of this turn, or for a time. */
export type Window =
  | 'tick'
  | {
      readonly durationMs: number
      /** It closes earlier when no key has come for so long; `Infinity` where it does not. */
      readonly idleMs: number
    }

interface Windowed {
  openedAt: number
  lastAt: number
  timer: Timer
}

/** Calls `onDue` when the window of a batch that gets its first key now has passed. */
export function openWindow(batch: Windowed, window: Window, clock: Clock, onDue: () => void): void {
  if (window === 'tick') {
    afterPromiseJobs(onDue)
    return
  }
  batch.openedAt = clock.now()
  batch.lastAt = batch.openedAt
  const { durationMs, idleMs } = window
  const wait = (): void => {
    const until = Math.min(batch.openedAt + durationMs, batch.lastAt + idleMs)
    const waitMs = until - clock.now()
    // Moving the timer with each key would cost more than looking again when it fires.
    if (waitMs > 0) batch.timer = clock.setTimeout(wait, waitMs)
    else afterPromiseJobs(onDue)
  }
  wait()
}
