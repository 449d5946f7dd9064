import { describe, expect, it } from 'vitest'
import { concurrency, perMinute } from '../../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { states, watch } from './outcomes.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')

function make(options: { maxPause?: '5m' | '10s' } = {}) {
  const clock = new FakeClock(NOW)
  const limiter = rateLimiter({
    limits: {
      requests: perMinute(60),
      input: perMinute(6000),
      output: perMinute(600),
      inFlight: concurrency(10),
    },
    clock,
    ...options,
  })
  return { clock, limiter }
}

describe('Retry-After', () => {
  const pauses = (status: number | undefined, headers: Record<string, string>) => {
    const { limiter } = make()
    limiter.observe({ ...(status !== undefined && { status }), headers })
    return limiter.stats().pausedMs
  }

  it('pauses for what it says, in each of its forms', () => {
    expect(pauses(429, { 'retry-after': '20' })).toBe(20_000)
    expect(pauses(529, { 'Retry-After': '1.5' })).toBe(1500)
    expect(pauses(503, { 'retry-after': 'Tue, 24 Nov 2026 12:00:30 GMT' })).toBe(30_000)
    expect(pauses(429, { 'retry-after-ms': '250', 'retry-after': '1' })).toBe(250)
    expect(pauses(undefined, { 'retry-after': '2' })).toBe(2000)
  })

  it('means nothing elsewhere, or where it cannot be read', () => {
    expect(pauses(200, { 'retry-after': '20' })).toBe(0)
    expect(pauses(301, { 'retry-after': '20' })).toBe(0)
    expect(pauses(429, { 'retry-after': 'soon' })).toBe(0)
    expect(pauses(429, { 'retry-after': '-5' })).toBe(0)
    expect(pauses(429, { 'retry-after': 'Tue, 24 Nov 2020 12:00:30 GMT' })).toBe(0)
    expect(pauses(429, {})).toBe(0)
  })

  it('is believed up to maxPause', () => {
    expect(pauses(429, { 'retry-after': '86400' })).toBe(300_000)
    const { limiter } = make({ maxPause: '10s' })
    limiter.observe({ status: 429, headers: { 'retry-after': '60' } })
    expect(limiter.stats().pausedMs).toBe(10_000)
  })

  it('holds all dimensions back, whatever they have left, and lets them go on afterwards', async () => {
    const { clock, limiter } = make()
    const waiting = watch(limiter.acquire({ requests: 60 }))
    limiter.observe({ status: 429, headers: new Headers({ 'retry-after': '2' }) })
    const calls = [0, { input: 5 }].map((cost) => watch(limiter.acquire(cost)))
    expect(limiter.tryAcquire({ requests: 0, input: 1 })).toEqual({ ok: false, retryAfterMs: 2000 })
    await clock.advance(1999)
    expect(states([waiting, ...calls])).toEqual(['ok', 'pending', 'pending'])
    await clock.advance(1001)
    expect(states(calls)).toEqual(['ok', 'ok'])
    expect(clock.pending).toBe(0)
  })

  it('tells those at once who cannot wait so long', async () => {
    const { clock, limiter } = make()
    limiter.tryAcquire(60)
    const short = watch(limiter.acquire(1, { deadline: NOW + 5000 }))
    const long = watch(limiter.acquire(1, { deadline: NOW + 20_000 }))
    limiter.observe({ status: 429, headers: { 'retry-after': '10' } })
    await clock.advance(0)
    expect(states([short, long])).toEqual(['ERR_RATE_LIMITED', 'pending'])
    await clock.advance('10s')
    expect(long.state).toBe('ok')
  })

  it('is never shortened by a later one', () => {
    const { limiter } = make()
    limiter.observe({ status: 429, headers: { 'retry-after': '10' } })
    limiter.observe({ status: 429, headers: { 'retry-after': '1' } })
    expect(limiter.stats().pausedMs).toBe(10_000)
  })

  it('is told as an event', () => {
    const { limiter } = make()
    const heard: unknown[] = []
    limiter.on('pause', (event) => heard.push(event))
    limiter.observe({ status: 429, headers: { 'retry-after': '1' } })
    expect(heard).toEqual([{ name: 'default', forMs: 1000, source: 'headers' }])
  })
})

describe('rate limit headers', () => {
  const left = (headers: Record<string, string>) => {
    const { limiter } = make()
    limiter.observe({ status: 200, headers })
    return limiter.stats().available
  }

  it('of Anthropic lower what is left of each dimension', () => {
    const headers = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '12',
      'anthropic-ratelimit-requests-reset': '2026-11-24T12:01:00Z',
      'anthropic-ratelimit-input-tokens-remaining': '500',
      'anthropic-ratelimit-output-tokens-remaining': '0',
    }
    expect(left(headers)).toEqual({ requests: 12, input: 500, output: 0, inFlight: 10 })
  })

  it('of OpenAI too', () => {
    expect(left({ 'x-ratelimit-remaining-requests': '7' }).requests).toBe(7)
  })

  it('never raise it', () => {
    expect(left({ 'x-ratelimit-remaining-requests': '5000' }).requests).toBe(60)
  })

  it('that name no dimension mean requests, and at 0 a pause until they begin anew', async () => {
    const { clock, limiter } = make()
    limiter.observe({ headers: { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '60' } })
    expect(limiter.stats()).toMatchObject({ pausedMs: 0, available: { requests: 3, input: 6000 } })
    const reset = String((NOW + 20_000) / 1000)
    limiter.observe({ headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } })
    expect(limiter.stats()).toMatchObject({ pausedMs: 20_000, available: { requests: 0 } })
    await clock.advance('20s')
    expect(limiter.tryAcquire().ok).toBe(true)
    limiter.observe({ headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '1m30s' } })
    expect(limiter.stats().pausedMs).toBe(90_000)
  })

  it('that make no sense are not heeded', () => {
    const strange = ['', ' ', '-1', 'many', 'NaN', 'Infinity']
    for (const text of strange) {
      expect(left({ 'anthropic-ratelimit-requests-remaining': text }).requests).toBe(60)
    }
    const { limiter } = make()
    limiter.observe({})
    limiter.observe({ status: 200, headers: { 'x-ratelimit-remaining': undefined } })
    expect(limiter.stats().available.requests).toBe(60)
  })

  it('come from fetch, from Node and from plain objects', () => {
    const { limiter } = make()
    limiter.observe(new Response('', { headers: { 'x-ratelimit-remaining-requests': '9' } }))
    expect(limiter.stats().available.requests).toBe(9)
    limiter.observe({ headers: { 'X-RateLimit-Remaining-Requests': ['8', '1'] } })
    expect(limiter.stats().available.requests).toBe(8)
    limiter.observe({ headers: new Map([['x-ratelimit-remaining-requests', '7']]) })
    expect(limiter.stats().available.requests).toBe(7)
  })
})
