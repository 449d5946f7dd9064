import type { Clock } from '../contracts/clock.ts'
import { ResilienceError } from '../kernel/errors.ts'

/**
 * The outcome of `operation`, or ERR_TIMEOUT after `ms`. What comes later goes to `onLate`: a lease
 * that was granted after all has to be given back.
 */
export function withDeadline<T>(
  operation: Promise<T>,
  ms: number,
  clock: Clock,
  onLate?: (result: T) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let late = false
    const timer = clock.setTimeout(() => {
      late = true
      reject(new ResilienceError('ERR_TIMEOUT', `L2 did not answer within ${ms} ms`))
    }, ms)
    operation.then(
      (result) => {
        if (late) return onLate?.(result)
        clock.clearTimeout(timer)
        resolve(result)
      },
      (error: unknown) => {
        clock.clearTimeout(timer)
        reject(error)
      },
    )
  })
}
