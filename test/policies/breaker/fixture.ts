import type { CircuitBreakerOptions } from '../../../src/policies/breaker/breaker-options.ts'
import {
  type CircuitBreaker,
  circuitBreaker,
} from '../../../src/policies/breaker/circuit-breaker.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

export const REFUSED = new Error('refused')

/** A breaker on a clock that stands still, with no chance in it. */
export function aBreaker(options: CircuitBreakerOptions = {}): {
  breaker: CircuitBreaker
  clock: FakeClock
} {
  const clock = new FakeClock(1_000_000)
  return { breaker: circuitBreaker({ clock, random: () => 1, ...options }), clock }
}

/** Opens it at the first failure. */
export const ONE_FAILURE = { window: { type: 'consecutive', failures: 1 } } as const

export async function succeed(breaker: CircuitBreaker, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await breaker(async () => 'well')
}

/** Calls that fail, or are turned away. */
export async function fail(
  breaker: CircuitBreaker,
  times = 1,
  error: unknown = REFUSED,
): Promise<void> {
  for (let i = 0; i < times; i++) {
    await breaker(async () => {
      throw error
    }).catch(() => {})
  }
}

/** A call that takes that long, and then ends well. */
export async function slowly(
  breaker: CircuitBreaker,
  clock: FakeClock,
  ms: number,
): Promise<unknown> {
  const call = breaker(() => new Promise((resolve) => clock.setTimeout(() => resolve('late'), ms)))
  call.catch(() => {})
  await clock.advance(ms)
  return call
}

/** A call that ends when it is told to. */
export function aCall(breaker: CircuitBreaker): {
  done: Promise<unknown>
  succeed: () => void
  fail: (error?: unknown) => void
} {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const done = breaker(() => promise)
  done.catch(() => {})
  return { done, succeed: () => resolve('well'), fail: (error = REFUSED) => reject(error) }
}

export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
