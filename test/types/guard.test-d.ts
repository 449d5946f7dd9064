import pLimit from 'p-limit'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type BreakerGate,
  compose,
  createCache,
  fallback,
  type Guard,
  type GuardEvents,
  guard,
  hedge,
  type PermitSource,
  type Runner,
  retry,
  timeout,
} from '../../src/index.ts'

const cache = createCache({ ttl: '5m' })
const load = async (id: string, count?: number): Promise<{ id: string; count?: number }> => ({
  id,
  ...(count === undefined ? {} : { count }),
})

describe('running a task', () => {
  it('gives what the task gives', () => {
    const run = guard({ deadline: '5s' })
    expectTypeOf(run(async () => 5)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(run(() => 'text')).toEqualTypeOf<Promise<string>>()
    expectTypeOf(run((signal) => signal.aborted)).toEqualTypeOf<Promise<boolean>>()
    expectTypeOf(run).toExtend<Runner>()
    expectTypeOf(run).toEqualTypeOf<Guard>()
  })
})

describe('wrapping a function', () => {
  it('keeps its arguments and its value', () => {
    const wrapped = guard({ retry: {} }).wrap(load)
    expectTypeOf(wrapped).parameters.toEqualTypeOf<[id: string, count?: number | undefined]>()
    expectTypeOf(wrapped('a')).toEqualTypeOf<Promise<{ id: string; count?: number }>>()
    expectTypeOf(retry().wrap(() => 5)()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(compose(retry(), timeout('1s')).wrap(load)('a', 1)).resolves.toHaveProperty('id')
  })

  it('keeps its this', () => {
    const method = retry().wrap(function (this: { price: number }, count: number) {
      return this.price * count
    })
    expectTypeOf(method).thisParameter.toEqualTypeOf<{ price: number }>()
  })
})

describe('stages', () => {
  it('are given as options, as instances or as limiters of other libraries', () => {
    const gate = {} as BreakerGate
    const source = {} as PermitSource
    guard({ retry: { attempts: 2 }, hedge: { after: 'p95' }, idempotent: true, timeout: '1s' })
    guard({ retry: retry(), hedge: hedge({ after: 5, idempotent: true }), timeout: timeout(5) })
    guard({ breaker: gate, limit: source, bulkhead: pLimit(5), fallback: fallback(1) })
    guard({ breaker: {}, bulkhead: 5, timeout: { after: '1s', mode: 'cooperative' } })
    // @ts-expect-error no such stage
    guard({ retries: 3 })
    // @ts-expect-error no such mode
    guard({ timeout: { after: '1s', mode: 'soft' } })
    // @ts-expect-error a hedge has to be told that its tasks may run twice
    hedge({ after: 'p95' })
    // @ts-expect-error neither a duration nor a quantile
    hedge({ after: 'x95', idempotent: true })
  })

  it('of compose are Runners and limiters', () => {
    expectTypeOf(compose(retry(), pLimit(5), timeout('1s'))(() => 5)).resolves.toBeNumber()
    // @ts-expect-error no Runner
    compose({ max: 5 })
  })
})

describe('events', () => {
  it('carry what they are about', () => {
    const run = guard({ retry: {} })
    run.on('retry', (event) => expectTypeOf(event).toEqualTypeOf<GuardEvents['retry']>())
    // @ts-expect-error a time-out has no retries
    timeout('1s').on('retry', () => {})
    expectTypeOf(run.stats().retries).toBeNumber()
    expectTypeOf(timeout('1s').stats()).not.toHaveProperty('retries')
  })
})

describe('the guard of a cached function', () => {
  it('is a Runner, a limiter or options', () => {
    cache.cached(load, { guard: guard({ retry: {} }) })
    cache.cached(load, { guard: { retry: {}, breaker: {}, timeout: '1s' } })
    cache.cached(load, { guard: pLimit(5) })
    // @ts-expect-error no such stage
    cache.cached(load, { guard: { retries: 3 } })
    // @ts-expect-error made anew for each call it could not count anything
    void cache.getOrSet('k', () => 5, { guard: { retry: {} } })
  })
})
