import { ResilienceError } from '../kernel/errors.ts'

/**
 * `promise`, unless `signal` aborts first: then ERR_ABORTED with the signal's reason as its cause. The
 * shared work goes on, and no listener stays on the signal.
 */
export function waitFor<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const give = (): void =>
      reject(
        new ResilienceError('ERR_ABORTED', `${what} was given up by its caller's signal`, {
          cause: signal.reason,
        }),
      )
    if (signal.aborted) {
      give()
      return
    }
    signal.addEventListener('abort', give, { once: true })
    const leave = (): void => signal.removeEventListener('abort', give)
    promise.then(
      (value) => {
        leave()
        resolve(value)
      },
      (error: unknown) => {
        leave()
        reject(error)
      },
    )
  })
}
