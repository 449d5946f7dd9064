import type { Clock } from '../contracts/clock.ts'

/** How often the event loop is looked at. */
const LOOK_EVERY_MS = 20
/** A timer that is later than this says that others are busy. */
const BUSY_MS = 5
/** A process that is never idle gets it all the same. */
const LONGEST_MS = 5000

/**
 * Runs `task` once the event loop has nothing else to do, told by a timer that fires on time; after
 * some 5 s in any case. Keeps no process alive.
 */
export function whenIdle(clock: Clock, task: () => void): void {
  const startedAt = clock.now()
  const look = (): void => {
    const due = clock.now() + LOOK_EVERY_MS
    const onTimer = (): void => {
      const now = clock.now()
      if (now - due <= BUSY_MS || now - startedAt >= LONGEST_MS) task()
      else look()
    }
    clock.setTimeout(onTimer, LOOK_EVERY_MS, { unref: true })
  }
  look()
}
