import { Cluster, Redis } from 'ioredis'
import { describe, expectTypeOf, it } from 'vitest'
import {
  concurrency,
  type Permit,
  perMinute,
  perSecond,
  type RateLimiterStats,
  type Refusal,
  type Runner,
  rateLimiter,
} from '../../src/index.ts'

const limiter = rateLimiter({
  name: 'claude',
  limits: {
    requests: perMinute(1000),
    input: perMinute(80_000, { burst: 20_000 }),
    inFlight: concurrency(20),
  },
  queue: { max: 100, maxWait: '10s', overflow: 'drop-lowest', order: 'fifo', ageing: '2s' },
})

describe('a limiter', () => {
  it('is a Runner that gives what its task gives', () => {
    expectTypeOf(limiter).toExtend<Runner>()
    expectTypeOf(limiter(() => 5)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(
      limiter(async (signal) => signal.aborted, { weight: 2, cost: { input: 5 } }),
    ).toEqualTypeOf<Promise<boolean>>()
  })

  it('gives permits', async () => {
    expectTypeOf(limiter.acquire({ input: 5 }, { priority: 1 })).toEqualTypeOf<Promise<Permit>>()
    const tried = limiter.tryAcquire(1)
    expectTypeOf(tried).toEqualTypeOf<Permit | Refusal>()
    if (tried.ok) tried.settle({ input: 900 })
    else expectTypeOf(tried.retryAfterMs).toBeNumber()
    // @ts-expect-error it has to be asked whether it is one
    tried.release()
    using _permit = await limiter.acquire()
  })

  it('takes responses of fetch and of Node, and other headers', () => {
    limiter.observe(new Response())
    limiter.observe({ status: 429, headers: { 'retry-after': '5', 'set-cookie': ['a', 'b'] } })
    limiter.observe({ headers: new Map([['retry-after', '5']]) })
  })

  it('types its events and its numbers', () => {
    expectTypeOf(limiter.stats()).toEqualTypeOf<RateLimiterStats>()
    limiter.on('acquire', ({ waitedMs }) => expectTypeOf(waitedMs).toBeNumber())
    limiter.on('redis', ({ state }) => expectTypeOf(state).toEqualTypeOf<'shared' | 'alone'>())
    // @ts-expect-error
    limiter.on('acquired', () => {})
  })

  it('takes a client of ioredis, or a cluster', () => {
    const limits = { requests: perSecond(10) }
    const redis = new Redis({ lazyConnect: true })
    const cluster = new Cluster([], { lazyConnect: true })
    rateLimiter({ name: 'a', limits, distributed: { redis, instances: 3, whenDown: 'open' } })
    rateLimiter({ name: 'b', limits, distributed: { redis: cluster } })
    // @ts-expect-error
    rateLimiter({ name: 'c', limits, distributed: { redis: 'redis://localhost' } })
  })

  it('refuses what is no option', () => {
    const limits = { requests: perSecond(10) }
    // @ts-expect-error
    rateLimiter({})
    // @ts-expect-error
    rateLimiter({ limits: { requests: 10 } })
    // @ts-expect-error
    rateLimiter({ limits, queue: { overflow: 'drop' } })
    // @ts-expect-error
    rateLimiter({ limits, maxpause: '5s' })
    // @ts-expect-error
    perSecond(10, { brust: 5 })
    // @ts-expect-error
    limiter.tryAcquire({ input: '5' })
  })
})
