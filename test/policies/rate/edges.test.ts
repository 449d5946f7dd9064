import { describe, expect, it } from 'vitest'
import { concurrency, type Limit, perMinute, perSecond } from '../../../src/policies/rate/limit.ts'
import type { DistributedOptions } from '../../../src/policies/rate/limiter-options.ts'
import { type RateLimiter, rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { states, watch } from './outcomes.ts'
import { ScriptServer } from './script-server.ts'

describe('a wait that is just as long as it may be', () => {
  it('ends with a permit, and a longer one is refused at once', async () => {
    const clock = new FakeClock(1000)
    const limits = { requests: perSecond(1) }
    const limiter = rateLimiter({ limits, queue: { maxWait: '1s' }, clock })
    limiter.tryAcquire()
    const first = watch(limiter.acquire())
    await clock.advance('1s')
    expect(first.state).toBe('ok')
    const second = watch(limiter.acquire(1, { deadline: clock.now() + 1000 }))
    const third = watch(limiter.acquire(1, { deadline: clock.now() + 1999 }))
    await clock.advance(0)
    expect(states([second, third])).toEqual(['pending', 'ERR_RATE_LIMITED'])
    await clock.advance('1s')
    expect(second.state).toBe('ok')
    expect(clock.pending).toBe(0)
  })

  it('lets the next go when the first of the line has waited in vain', async () => {
    const clock = new FakeClock(1000)
    const limits = { requests: perSecond(100), inFlight: concurrency(2) }
    const limiter = rateLimiter({ limits, queue: { maxWait: '1s' }, clock })
    limiter.tryAcquire()
    const large = watch(limiter.acquire({ inFlight: 2 }, { deadline: clock.now() + 500 }))
    const small = watch(limiter.acquire())
    await clock.advance(500)
    expect(states([large, small])).toEqual(['ERR_RATE_LIMITED', 'ok'])
  })
})

describe('drain', () => {
  it('waits for a task that has its turn and has not begun', async () => {
    const clock = new FakeClock(1000)
    const limiter = rateLimiter({ limits: { requests: perSecond(10) }, clock })
    limiter.tryAcquire(9)
    const controller = new AbortController()
    const large = watch(limiter.acquire(10, { signal: controller.signal }))
    const task = () => new Promise<void>((resolve) => clock.setTimeout(resolve, 50))
    const small = watch(limiter(task))
    const drained = watch(limiter.drain())
    controller.abort()
    await clock.advance(49)
    expect(states([large, small, drained])).toEqual(['ERR_ABORTED', 'pending', 'pending'])
    await clock.advance(1)
    expect(states([small, drained])).toEqual(['ok', 'ok'])
  })
})

describe('observe', () => {
  it('takes limits of any name', () => {
    const limits = { 'tokens per day': perMinute(5), constructor: perMinute(5), día: perMinute(5) }
    const limiter = rateLimiter({ limits: limits as Record<string, Limit>, clock: new FakeClock() })
    limiter.observe(new Response('', { headers: { 'x-ratelimit-remaining': '2' } }))
    expect(limiter.stats().available).toMatchObject({ 'tokens per day': 2, día: 5 })
  })

  it('takes values that are no text, and an instant in milliseconds', () => {
    const clock = new FakeClock(1_700_000_000_000)
    const limiter = rateLimiter({ limits: { requests: perMinute(50) }, clock })
    const headers = new Map<string, unknown>([
      ['x-ratelimit-remaining', 0],
      ['x-ratelimit-reset', 1_700_000_002_000],
    ])
    limiter.observe({ status: 200, headers: headers as unknown as Headers })
    expect(limiter.stats().pausedMs).toBe(2000)
  })
})

describe('a full queue', () => {
  it('drops the oldest for a newcomer that has time enough once that one is gone', async () => {
    const clock = new FakeClock(1000)
    const limiter = rateLimiter({
      limits: { requests: perSecond(1) },
      queue: { max: 2, maxWait: '2500ms', overflow: 'drop-oldest' },
      clock,
    })
    limiter.tryAcquire()
    const waits = [1, 2, 3].map(() => watch(limiter.acquire()))
    await clock.advance(0)
    expect(states(waits)).toEqual(['ERR_RATE_LIMITED', 'pending', 'pending'])
    await clock.advance('2s')
    expect(states(waits)).toEqual(['ERR_RATE_LIMITED', 'ok', 'ok'])
  })
})

describe('a shared limiter', () => {
  const clock = new FakeClock(1000)
  const pair = (
    server: ScriptServer,
    limit: Limit,
    distributed: Partial<DistributedOptions> = {},
  ) =>
    [0, 1].map(() =>
      rateLimiter({
        name: 'api',
        limits: { output: limit },
        clock,
        distributed: { redis: server.client(), ...distributed },
      }),
    ) as [RateLimiter, RateLimiter]

  it.each([
    ['acquire', async (other: RateLimiter) => watch(other.acquire(100))],
    [
      'tryAcquire',
      async (other: RateLimiter) =>
        watch(other.tryAcquire(100).ok ? Promise.resolve() : Promise.reject(new Error('not now'))),
    ],
  ])('learns what others give back though %s was refused', async (_name, attempt) => {
    const [first, other] = pair(new ScriptServer(clock), perMinute(60, { burst: 6000 }))
    await clock.advance(10)
    const permit = await first.acquire(5990)
    await clock.advance(10)
    // The first one tells it that there is nothing.
    for (let i = 0; i < 3; i++) {
      await attempt(other)
      await clock.advance(20)
    }
    expect((await attempt(other)).state).not.toBe('ok')
    permit.settle(10)
    await clock.advance(300)
    const later = []
    for (let i = 0; i < 5; i++) {
      const outcome = await attempt(other)
      await clock.advance(50)
      later.push(outcome.state)
    }
    expect(later.at(-1)).toBe('ok')
    for (const limiter of [first, other]) limiter.close()
  })

  it('lets those who wait have what others give back', async () => {
    const [first, other] = pair(new ScriptServer(clock), perMinute(60, { burst: 100 }))
    await clock.advance(10)
    const permit = await first.acquire(100)
    await clock.advance(10)
    // From the answer it knows that there is nothing.
    await other.acquire(1)
    await clock.advance(10)
    const waits = watch(other.acquire(20))
    await clock.advance('1s')
    expect(waits.state).toBe('pending')
    permit.settle(10)
    await clock.advance(500)
    expect(waits.state).toBe('ok')
    for (const limiter of [first, other]) limiter.close()
  })

  it('that was open is not blocked afterwards for what went without a limit', async () => {
    const server = new ScriptServer(clock)
    const [limiter] = pair(server, perSecond(10), { whenDown: 'open' })
    await clock.advance(10)
    server.mode = 'fail'
    for (let i = 0; i < 2000; i++) {
      limiter.tryAcquire()
      if (i % 100 === 0) await clock.advance('1s')
    }
    server.mode = 'up'
    limiter.tryAcquire()
    await clock.advance(200)
    const next = watch(limiter.acquire())
    await clock.advance('2s')
    expect(next.state).toBe('ok')
    expect(limiter.stats().shared?.state).toBe('shared')
  })
})
