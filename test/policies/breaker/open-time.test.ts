import { describe, expect, it } from 'vitest'
import type { CircuitBreakerOptions } from '../../../src/policies/breaker/breaker-options.ts'
import { aBreaker, fail, ONE_FAILURE, REFUSED } from './fixture.ts'

/** For how long it opens, time after time. */
async function openings(
  options: CircuitBreakerOptions,
  times = 1,
  error: unknown = REFUSED,
): Promise<number[]> {
  const { breaker, clock } = aBreaker({ ...ONE_FAILURE, ...options })
  const told: number[] = []
  breaker.on('open', ({ openForMs }) => told.push(openForMs))
  for (let i = 0; i < times; i++) {
    await fail(breaker, 1, error)
    await clock.advance(told.at(-1) ?? 0)
  }
  return told
}

describe('the open time', () => {
  it('doubles from 5 s to 1 min, shortened by chance to half of it at most', async () => {
    expect(await openings({ random: () => 1 }, 6)).toEqual([
      5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
    ])
    expect(await openings({ random: () => 0 }, 3)).toEqual([2_500, 5_000, 10_000])
  })

  it('begins anew after it was closed', async () => {
    const { breaker, clock } = aBreaker(ONE_FAILURE)
    const told: number[] = []
    breaker.on('open', (event) => told.push(event.openings))
    for (let i = 0; i < 2; i++) {
      await fail(breaker)
      await clock.advance('1m')
    }
    await breaker(() => 1)
    await fail(breaker)
    expect(told).toEqual([1, 2, 1])
  })

  it('is as told: exactly, or by the number of the opening and its cause', async () => {
    expect(await openings({ openFor: '7s' }, 2)).toEqual([7_000, 7_000])
    const seen: unknown[] = []
    const openFor = (n: number, cause: unknown) => {
      seen.push(cause)
      return `${n}s` as const
    }
    expect(await openings({ openFor }, 2)).toEqual([1_000, 2_000])
    expect(seen).toEqual([REFUSED, REFUSED])
  })

  it('may be for ever, until it is reset', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: Infinity })
    await fail(breaker)
    await clock.advance('365d')
    expect(breaker.state).toBe('open')
    breaker.reset()
    expect(breaker.state).toBe('closed')
  })

  it('falls back to the default when the function throws or gives nonsense', async () => {
    const broken = (): never => {
      throw new Error('mine')
    }
    expect(await openings({ openFor: broken })).toEqual([5_000])
    expect(await openings({ openFor: () => Number.NaN })).toEqual([5_000])
  })
})

describe('a cause that asks for time', () => {
  const wall = 1_000_000
  it.each<[string, object, number]>([
    ['retryAfterMs', { retryAfterMs: 90_000 }, 90_000],
    ['a header of Headers', { headers: new Headers({ 'Retry-After': '90' }) }, 90_000],
    ['a plain header of the response', { response: { headers: { 'retry-after': '90' } } }, 90_000],
    ['a date', { headers: { 'Retry-After': new Date(wall + 90_000).toUTCString() } }, 90_000],
    ['more than an hour', { retryAfterMs: 1e12 }, 3_600_000],
    ['less than it opens anyway', { retryAfterMs: 10 }, 5_000],
    ['nonsense', { headers: { 'retry-after': 'soon' } }, 5_000],
    ['a date in the past', { headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:05 GMT' } }, 5_000],
  ])('%s', async (_, fields, expected) => {
    expect(await openings({}, 1, Object.assign(new Error('busy'), fields))).toEqual([expected])
  })

  it('holds a fixed time open longer, and leaves a function to decide', async () => {
    const error = Object.assign(new Error('busy'), { retryAfterMs: 90_000 })
    expect(await openings({ openFor: '1s' }, 1, error)).toEqual([90_000])
    expect(await openings({ openFor: () => '1s' }, 1, error)).toEqual([1_000])
  })

  it('may be a response that classify took for a failure', async () => {
    const { breaker } = aBreaker({
      ...ONE_FAILURE,
      classify: ({ value }) => ((value as Response).status >= 500 ? 'failure' : undefined),
    })
    await breaker(() => new Response('', { status: 503, headers: { 'retry-after': '40' } }))
    expect(breaker.admit()).toMatchObject({ retryAfterMs: 40_000 })
  })
})
