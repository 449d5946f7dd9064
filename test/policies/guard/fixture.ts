import { expect } from 'vitest'
import type { FakeClock } from '../../../src/testing/fake-clock.ts'

/** One call of a task that a test answers by hand. */
export interface TaskCall {
  readonly signal: AbortSignal
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** A task whose calls wait until they are answered. */
export class Task {
  readonly calls: TaskCall[] = []

  readonly run = (signal: AbortSignal): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.calls.push({ signal, resolve, reject })
    return promise
  }

  get last(): TaskCall {
    return this.calls.at(-1) as TaskCall
  }
}

/** Fails so often, then answers `'ok'`. */
export function failsTimes(times: number, error: unknown = new Error('down')) {
  const task = {
    count: 0,
    run: async (): Promise<string> => {
      task.count++
      if (task.count <= times) throw error
      return 'ok'
    },
  }
  return task
}

/** What a promise has come to. */
export interface Followed {
  value?: unknown
  error?: unknown
  isPending: boolean
}

export function follow(promise: PromiseLike<unknown>): Followed {
  const followed: Followed = { isPending: true }
  promise.then(
    (value) => Object.assign(followed, { value, isPending: false }),
    (error: unknown) => Object.assign(followed, { error, isPending: false }),
  )
  return followed
}

interface CountedSignal {
  readonly controller: AbortController
  readonly signal: AbortSignal
  count(): number
}

/** How many functions listen for the abort of a signal that was made by `counted()`. */
export function countedSignal(): CountedSignal {
  const controller = new AbortController()
  const { signal } = controller
  let listeners = 0
  const { addEventListener, removeEventListener } = signal
  Object.assign(signal, {
    addEventListener(...args: Parameters<typeof addEventListener>) {
      listeners++
      addEventListener.apply(signal, args)
    },
    removeEventListener(...args: Parameters<typeof removeEventListener>) {
      listeners--
      removeEventListener.apply(signal, args)
    },
  })
  return { controller, signal, count: () => listeners }
}

/** Nothing is left behind: no timer, no listener. */
export function expectIdle(clock: FakeClock, signal?: { count(): number }): void {
  expect(clock.pending, 'timers').toBe(0)
  if (signal) expect(signal.count(), 'listeners').toBe(0)
}
