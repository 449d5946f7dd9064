import { describe, expectTypeOf, it } from 'vitest'
import {
  type BreakerEvents,
  type BreakerSnapshot,
  type BreakerStats,
  type CircuitBreaker,
  circuitBreaker,
  circuitBreakers,
  type ResilienceError,
  type Runner,
} from '../../src/index.ts'

const breaker = circuitBreaker()

describe('circuitBreaker', () => {
  it('is a Runner that keeps the type of its task', () => {
    expectTypeOf(breaker).toExtend<Runner>()
    expectTypeOf(breaker(async () => 7)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(breaker(() => 'now', { weight: 1 })).toEqualTypeOf<Promise<string>>()
    expectTypeOf(breaker).parameter(0).parameter(0).toEqualTypeOf<AbortSignal>()
  })

  it('wraps a function to one of the same arguments and this', () => {
    const wrapped = breaker.wrap(async (id: number, name?: string) => ({ id, name }))
    expectTypeOf(wrapped).parameters.toEqualTypeOf<[id: number, name?: string | undefined]>()
    expectTypeOf(wrapped(1)).resolves.toEqualTypeOf<{ id: number; name: string | undefined }>()
    const method = breaker.wrap(function (this: { base: number }) {
      return this.base
    })
    expectTypeOf(method).thisParameter.toEqualTypeOf<{ base: number }>()
  })

  it('has a state, counters, a snapshot', () => {
    expectTypeOf(breaker.state).toEqualTypeOf<'closed' | 'open' | 'half-open' | 'isolated'>()
    expectTypeOf(breaker.stats()).toEqualTypeOf<BreakerStats>()
    expectTypeOf(breaker.snapshot()).toEqualTypeOf<BreakerSnapshot>()
    expectTypeOf(breaker.isolate()).toExtend<Disposable>()
    circuitBreaker({ state: breaker.snapshot() })
  })

  it('tells events of known types', () => {
    breaker.on('open', (event) => {
      expectTypeOf(event).toEqualTypeOf<BreakerEvents['open']>()
    })
    breaker.on('reject', ({ error }) => {
      expectTypeOf(error).toEqualTypeOf<ResilienceError>()
    })
    // @ts-expect-error there is no such event
    breaker.on('opened', () => {})
  })

  it('takes windows with their own options only', () => {
    circuitBreaker({ window: { type: 'count', size: 100 } })
    // @ts-expect-error a count window has a size
    circuitBreaker({ window: { type: 'count' } })
    // @ts-expect-error and no duration
    circuitBreaker({ window: { type: 'count', size: 1, duration: '1s' } })
    // @ts-expect-error 'maybe' is no verdict
    circuitBreaker({ classify: () => 'maybe' })
    circuitBreaker({ classify: ({ error }) => (error === 404 ? 'success' : undefined) })
    circuitBreaker({ openFor: (n) => n * 1000 })
    circuitBreaker({ openFor: (n) => `${n}s` })
  })
})

describe('circuitBreakers', () => {
  it('gives a breaker for each key', () => {
    const breakers = circuitBreakers({ max: 10 })
    expectTypeOf(breakers('host')).toEqualTypeOf<CircuitBreaker>()
    // @ts-expect-error a snapshot is of one breaker
    circuitBreakers({ state: breaker.snapshot() })
  })
})
