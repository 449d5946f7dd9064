import type { FakeClock } from '../../../src/testing/fake-clock.ts'

/** A task that ends after so many milliseconds of the clock, or as soon as its signal tells it to. */
export function endsAfter<T>(clock: FakeClock, ms: number, value: T) {
  return (signal?: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => resolve(value), ms)
      signal?.addEventListener('abort', () => {
        clock.clearTimeout(timer)
        reject(signal.reason)
      })
    })
}

export function failsAfter(clock: FakeClock, ms: number, error: unknown) {
  return (): Promise<never> =>
    new Promise((_, reject) => {
      clock.setTimeout(() => reject(error), ms)
    })
}

/** What a promise has come to, without waiting for it. */
export function watch<T>(promise: Promise<T>): { value?: T; error?: unknown; done: boolean } {
  const seen: { value?: T; error?: unknown; done: boolean } = { done: false }
  promise.then(
    (value) => Object.assign(seen, { done: true, value }),
    (error: unknown) => Object.assign(seen, { done: true, error }),
  )
  return seen
}
