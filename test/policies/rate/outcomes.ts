import { isResilienceError } from '../../../src/kernel/errors.ts'

/** What a promise has come to so far: `pending`, `ok`, or the code of its error. */
export class Outcome {
  state = 'pending'
  retryAfterMs: number | undefined
  message = ''

  constructor(promise: Promise<unknown>) {
    promise.then(
      () => {
        this.state = 'ok'
      },
      (error: unknown) => {
        this.state = isResilienceError(error) ? error.code : String(error)
        this.message = error instanceof Error ? error.message : ''
        this.retryAfterMs = isResilienceError(error) ? error.retryAfterMs : undefined
      },
    )
  }
}

export const watch = (promise: Promise<unknown>): Outcome => new Outcome(promise)
export const states = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ state }) => state)
