import type { Clock } from '../contracts/clock.ts'
import { aborted } from './background-task.ts'

/** What a drain has come to. */
export interface DrainResult {
  /** Tasks that ended by themselves meanwhile, well or not. */
  readonly done: number
  /** Tasks that had not ended at the deadline. */
  readonly aborted: number
}

/** Wakes those who wait until nothing is left. */
export class IdleWaiters {
  readonly #waiting = new Set<() => void>()

  wake(): void {
    for (const resolve of [...this.#waiting]) resolve()
  }

  /**
   * Waits for {@link wake}, at most `ms`. Its timer keeps the process alive: somebody waits.
   * @returns whether it was woken
   * @throws ERR_ABORTED when `signal` aborts the wait
   */
  wait(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(woken)
        clock.clearTimeout(timer)
        signal?.removeEventListener('abort', givenUp)
      }
      const woken = (): void => {
        leave()
        resolve(true)
      }
      const givenUp = (): void => {
        leave()
        reject(aborted('the wait for the drain was given up by its signal'))
      }
      const timer = clock.setTimeout(() => {
        leave()
        resolve(false)
      }, ms)
      this.#waiting.add(woken)
      signal?.addEventListener('abort', givenUp, { once: true })
      if (signal?.aborted) givenUp()
    })
  }
}
