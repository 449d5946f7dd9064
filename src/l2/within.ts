import type { Clock } from '../contracts/clock.ts'
import { ResilienceError } from '../kernel/errors.ts'

/** The outcome of what nobody waits for, or ERR_TIMEOUT after `ms`: otherwise it might never be repeated. */
export function within<T>(ms: number, operation: Promise<T>, clock: Clock): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onTime = (): void =>
      reject(new ResilienceError('ERR_TIMEOUT', `L2 did not answer within ${ms} ms`))
    const timer = clock.setTimeout(onTime, ms)
    const settle =
      <A>(end: (outcome: A) => void) =>
      (outcome: A): void => {
        clock.clearTimeout(timer)
        end(outcome)
      }
    operation.then(settle(resolve), settle(reject))
  })
}
