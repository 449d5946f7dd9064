import { createHash } from 'node:crypto'
import { array, assert, asyncProperty, constantFrom, integer } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concurrency,
  perMinute,
  perSecond,
  type RateLimit,
} from '../../../src/policies/rate/limit.ts'
import type { DistributedOptions } from '../../../src/policies/rate/limiter-options.ts'
import { type RateLimiter, rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { SLICE_SCRIPT, SLICE_SHA } from '../../../src/policies/rate/slice-script.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { states, watch } from './outcomes.ts'
import { ScriptServer } from './script-server.ts'

function share(count: number, requests: RateLimit, distributed: Partial<DistributedOptions> = {}) {
  const clock = new FakeClock(1000)
  const server = new ScriptServer(clock)
  let chance = 0
  const limiters = Array.from({ length: count }, () =>
    rateLimiter({
      name: 'api',
      limits: { requests },
      clock,
      random: () => (chance += 0.001),
      queue: { max: 10_000 },
      distributed: { redis: server.client(), ...distributed },
    }),
  )
  return { clock, server, limiters, first: limiters[0] as RateLimiter }
}

/** Callers that never stop asking, and when they were let through. */
function saturate(clock: FakeClock, limiters: readonly RateLimiter[], callers = 20) {
  const times: number[] = []
  let isOver = false
  const caller = async (limiter: RateLimiter) => {
    while (!isOver) {
      const permit = await limiter.acquire().catch(() => undefined)
      if (permit) times.push(clock.now())
      else await new Promise<void>((resolve) => clock.setTimeout(resolve, 20))
    }
  }
  for (const limiter of limiters) for (let i = 0; i < callers; i++) void caller(limiter)
  return {
    since: (instant: number) => times.filter((at) => at > instant).length,
    stop: () => {
      isOver = true
    },
  }
}

describe('the script', () => {
  it('is known by its SHA-1', () => {
    expect(createHash('sha1').update(SLICE_SCRIPT).digest('hex')).toBe(SLICE_SHA)
  })
})

describe('a shared limiter', () => {
  it('meets the others at first, and decides by itself once it has a slice', async () => {
    const { clock, server, first } = share(2, perSecond(1000))
    expect(first.stats().shared?.state).toBe('meeting')
    await clock.advance(10)
    expect(first.stats().shared).toMatchObject({ state: 'shared', failures: 0 })
    // In use for a while it keeps so much at hand that most calls need no answer.
    const before = server.calls
    for (let i = 0; i < 500; i++) {
      expect(first.tryAcquire().ok).toBe(true)
      await clock.advance(2)
    }
    expect(server.calls - before).toBeLessThan(60)
    expect(first.stats().shared?.instances).toBe(2)
  })

  it('lets a call after a quiet time go at once, and tells Redis of it', async () => {
    const { clock, server, first } = share(3, perMinute(60))
    await clock.advance('5s')
    expect(first.tryAcquire().ok).toBe(true)
    await clock.advance(5)
    const missing = ((server.buckets.get('requests') ?? 0) - clock.now()) / 1000
    expect(missing).toBeGreaterThan(0.9)
  })

  it('gives back what it does not use, and then runs no timer and asks nothing', async () => {
    const { clock, server, first } = share(1, perSecond(100))
    await clock.advance(10)
    for (let i = 0; i < 30; i++) {
      first.tryAcquire()
      await clock.advance(10)
    }
    await clock.advance('2s')
    expect(clock.pending).toBe(0)
    const calls = server.calls
    await clock.advance('1h')
    expect(server.calls).toBe(calls)
    expect(Math.max(0, (server.buckets.get('requests') ?? 0) - clock.now())).toBe(0)
    expect(first.stats().available.requests).toBe(100)
  })

  it.each([
    [3, perSecond(1000, { burst: 100 })],
    [5, perSecond(40)],
    [10, perMinute(600, { burst: 5 })],
  ])('keeps the rate with %i processes at full load', async (count, rate) => {
    const { clock, limiters } = share(count, rate)
    const load = saturate(clock, limiters)
    await clock.advance('2s')
    const from = clock.now()
    await clock.advance('5s')
    load.stop()
    const perS = rate.amount / (rate.periodMs / 1000)
    expect(load.since(from)).toBeLessThanOrEqual(5 * perS * 1.02 + count)
    expect(load.since(from)).toBeGreaterThanOrEqual(5 * perS * 0.9 - count)
    expect(load.since(0)).toBeLessThanOrEqual(7 * perS + rate.burst * 1.2 + count)
    for (const limiter of limiters) limiter.close()
  })

  it('serves all processes alike', async () => {
    const { clock, limiters } = share(4, perSecond(200, { burst: 10 }))
    const load = saturate(clock, limiters)
    await clock.advance('5s')
    load.stop()
    const counts = limiters.map((limiter) => limiter.stats().acquired)
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.3)
    for (const limiter of limiters) limiter.close()
  })

  it('shares a pause', async () => {
    const { clock, limiters, first } = share(3, perSecond(100))
    await clock.advance(10)
    first.observe({ status: 429, headers: { 'retry-after': '3' } })
    await clock.advance(5)
    const heard: unknown[] = []
    const [, second, third] = limiters
    second?.on('pause', ({ source }) => heard.push(source))
    // Another learns of it with its next question, at the latest after its first call.
    second?.tryAcquire()
    await clock.advance(5)
    expect(second?.tryAcquire()).toMatchObject({ ok: false })
    expect(second?.stats().pausedMs).toBeGreaterThan(2900)
    const waiting = watch((third as RateLimiter).acquire(50))
    await clock.advance(2900)
    expect(waiting.state).toBe('pending')
    await clock.advance(200)
    expect(waiting.state).toBe('ok')
    expect(heard).toEqual(['shared'])
  })

  it('heeds what the provider says is left once, whoever hears of it', async () => {
    const { clock, server, limiters } = share(3, perMinute(600))
    await clock.advance(10)
    const headers = { 'x-ratelimit-remaining-requests': '100' }
    for (const limiter of limiters) limiter.observe({ status: 200, headers })
    await clock.advance(5)
    const missing = ((server.buckets.get('requests') ?? 0) - clock.now()) / 100
    expect(missing).toBeGreaterThan(495)
    expect(missing).toBeLessThan(505)
  })

  it('charges and gives back what calls cost in the end', async () => {
    const { clock, server, first } = share(1, perMinute(6000))
    await clock.advance(10)
    const permit = await first.acquire(1000)
    await clock.advance(5)
    permit.settle(4000)
    await clock.advance(400)
    const missing = () => ((server.buckets.get('requests') ?? 0) - clock.now()) / 10
    expect(missing()).toBeGreaterThan(3900)
    const other = await first.acquire(1000)
    other.settle(0)
    await clock.advance(400)
    expect(missing()).toBeLessThan(4000)
  })

  it('leases nothing for those who wait for what is in flight', async () => {
    const clock = new FakeClock(1000)
    const server = new ScriptServer(clock)
    const limiter = rateLimiter({
      name: 'api',
      limits: { requests: perMinute(600), inFlight: concurrency(1) },
      clock,
      distributed: { redis: server.client() },
    })
    await clock.advance(10)
    const permit = await limiter.acquire()
    const waiting = Array.from({ length: 50 }, () => watch(limiter.acquire()))
    await clock.advance('5s')
    expect(limiter.stats().available.requests).toBe(600)
    permit.release()
    await clock.advance(10)
    expect(waiting[0]?.state).toBe('ok')
    for (const one of waiting) expect(one.state).not.toBe('ERR_RATE_LIMITED')
    limiter.close()
  })

  it('asks only now and then while there is nothing to have', async () => {
    const { clock, server, limiters, first } = share(2, perSecond(20))
    const load = saturate(clock, limiters.slice(1))
    await clock.advance('2s')
    const calls = server.calls
    let refused = 0
    for (let i = 0; i < 1000; i++) {
      if (!first.tryAcquire().ok) refused++
      await clock.advance(1)
    }
    load.stop()
    expect(refused).toBeGreaterThan(950)
    expect(server.calls - calls).toBeLessThan(100)
    for (const limiter of limiters) limiter.close()
  })

  it('leaves when it is closed', async () => {
    const { clock, server, limiters, first } = share(2, perSecond(10))
    await clock.advance(10)
    expect(server.members.size).toBe(2)
    first.close()
    await clock.advance(10)
    expect(server.members.size).toBe(1)
    expect(clock.pending).toBe(0)
    limiters[1]?.close()
  })
})

describe('without Redis', () => {
  it('nobody waits for it longer than 50 ms', async () => {
    const { clock, server, first } = share(3, perSecond(300))
    await clock.advance(10)
    server.mode = 'hang'
    const calls = Array.from({ length: 30 }, () => watch(first.acquire(2)))
    await clock.advance(50)
    expect(states(calls)).toEqual(Array(30).fill('ok'))
    expect(first.stats().shared).toMatchObject({ state: 'alone', failures: 1 })
  })

  it('a process that has just started looks for it for a while, and then only when used', async () => {
    const { clock, server, first } = share(1, perSecond(10))
    server.mode = 'fail'
    await clock.advance('1s')
    server.resume()
    await clock.advance(200)
    expect(first.stats().shared?.state).toBe('shared')
    const other = share(1, perSecond(10))
    other.server.mode = 'fail'
    await other.clock.advance('1m')
    expect(other.clock.pending).toBe(0)
    other.server.resume()
    await other.clock.advance('1m')
    expect(other.first.stats().shared?.state).toBe('alone')
    other.first.tryAcquire()
    await other.clock.advance(10)
    expect(other.first.stats().shared?.state).toBe('shared')
  })

  it('a process whose client connects slowly meets it all the same, without being used', async () => {
    const { clock, server, first } = share(1, perSecond(10))
    server.latencyMs = 400
    await clock.advance(350)
    server.latencyMs = 1
    await clock.advance(400)
    expect(first.stats().shared?.state).toBe('shared')
    first.close()
  })

  it('a client that is not connected is not asked, and nobody waits', async () => {
    const clock = new FakeClock()
    const server = new ScriptServer(clock)
    const limiter = rateLimiter({
      name: 'api',
      limits: { requests: perSecond(10) },
      clock,
      distributed: { redis: server.client('reconnecting') },
    })
    await clock.advance(0)
    expect(limiter.tryAcquire().ok).toBe(true)
    expect(server.calls).toBe(0)
  })

  it.each(['hang', 'fail'] as const)('(%s) all go on with their share', async (mode) => {
    const { clock, server, limiters } = share(3, perSecond(300, { burst: 30 }))
    const load = saturate(clock, limiters)
    await clock.advance('2s')
    server.mode = mode
    const from = clock.now()
    await clock.advance('4s')
    const alone = load.since(from)
    expect(alone).toBeLessThanOrEqual(1200 * 1.05)
    expect(alone).toBeGreaterThanOrEqual(1200 * 0.85)
    server.resume()
    const back = clock.now()
    await clock.advance('4s')
    load.stop()
    expect(limiters.map((limiter) => limiter.stats().shared?.state)).toEqual(
      Array(3).fill('shared'),
    )
    expect(load.since(back)).toBeLessThanOrEqual(1200 * 1.1)
    expect(load.since(back)).toBeGreaterThanOrEqual(1200 * 0.85)
    for (const limiter of limiters) limiter.close()
  })

  it('a process that never met it counts as one of as many as it was told', async () => {
    const { clock, server, first } = share(1, perSecond(100, { burst: 10 }), { instances: 5 })
    server.mode = 'fail'
    const load = saturate(clock, [first])
    await clock.advance('5s')
    load.stop()
    expect(load.since(0)).toBeLessThanOrEqual(102)
    expect(load.since(0)).toBeGreaterThan(90)
    first.close()
  })

  it('whenDown open lets all go, closed nobody', async () => {
    for (const [whenDown, ok] of [
      ['open', true],
      ['closed', false],
    ] as const) {
      const { clock, server, first } = share(1, perSecond(1), { whenDown })
      server.mode = 'fail'
      await clock.advance(10)
      const tries = Array.from({ length: 10 }, () => first.tryAcquire().ok)
      expect(tries).toEqual(Array(10).fill(ok))
      const call = watch(first.acquire())
      await clock.advance(0)
      expect(call.state).toBe(ok ? 'ok' : 'ERR_RATE_LIMITED')
      server.resume()
      await clock.advance(200)
      first.tryAcquire()
      await clock.advance(10)
      expect(first.stats().shared?.state).toBe('shared')
    }
  })

  it('those who wait are told when it is closed to them', async () => {
    const { clock, server, first } = share(1, perSecond(1), { whenDown: 'closed' })
    await clock.advance(10)
    await first.acquire()
    server.mode = 'hang'
    await clock.advance(10)
    const call = watch(first.acquire())
    await clock.advance(60)
    expect(call.state).toBe('ERR_RATE_LIMITED')
    expect(call.message).toContain("whenDown is 'closed'")
  })

  it('says so as an event', async () => {
    const { clock, server, first } = share(1, perSecond(10))
    const heard: unknown[] = []
    first.on('redis', (event) => heard.push(event))
    await clock.advance(10)
    server.mode = 'fail'
    first.tryAcquire()
    await clock.advance(500)
    server.resume()
    first.tryAcquire()
    await clock.advance(10)
    expect(heard).toEqual([
      { name: 'api', state: 'shared' },
      { name: 'api', state: 'alone', cause: expect.stringContaining('LOADING') },
      { name: 'api', state: 'shared' },
    ])
  })

  it('asks no second question while an answer is owed', async () => {
    const { clock, server, first } = share(1, perSecond(10))
    await clock.advance(10)
    server.mode = 'hang'
    const calls = server.calls
    for (let i = 0; i < 90; i++) {
      first.tryAcquire()
      await clock.advance(100)
    }
    expect(server.calls - calls).toBe(1)
  })
})

describe('when the keys are lost', () => {
  it('nobody is refused by error, and less than one burst more goes through', async () => {
    const { clock, server, limiters } = share(3, perSecond(100))
    const load = saturate(clock, limiters)
    await clock.advance('2s')
    const from = clock.now()
    server.flush()
    await clock.advance('5s')
    load.stop()
    expect(load.since(from)).toBeLessThanOrEqual(500 + 100)
    // The bucket is made anew as it was known, so it is far less than a burst.
    expect(load.since(from)).toBeLessThanOrEqual(500 * 1.05)
    expect(limiters.map((limiter) => limiter.stats().rejected)).toEqual([0, 0, 0])
    for (const limiter of limiters) limiter.close()
  })
})

describe('whatever happens to Redis, and when', () => {
  const RATE = 100
  const PROCESSES = 3
  const step = constantFrom('hang', 'fail', 'flush', 'up', 'up')

  it('all together stay within 1.2 times the rate and a burst', async () => {
    const story = array(step, { minLength: 1, maxLength: 6 })
    await assert(
      asyncProperty(story, integer({ min: 50, max: 1500 }), async (steps, stepMs) => {
        const { clock, server, limiters } = share(PROCESSES, perSecond(RATE))
        const load = saturate(clock, limiters, 10)
        await clock.advance('1500ms')
        const from = clock.now()
        for (const each of steps) {
          if (each === 'flush') server.flush()
          else if (each === 'up') server.resume()
          else server.mode = each
          await clock.advance(stepMs)
        }
        load.stop()
        const seconds = (clock.now() - from) / 1000
        const flushes = steps.filter((each) => each === 'flush').length
        // What Redis has saved up while nobody asked it is there at once: half a burst at most.
        expect(load.since(from)).toBeLessThanOrEqual(
          1.2 * RATE * seconds + 0.5 * RATE + flushes * RATE,
        )
        // Each change costs a little of what could have been let through, and there are up to six.
        expect(load.since(from)).toBeGreaterThanOrEqual(0.7 * RATE * seconds - RATE)
        for (const limiter of limiters) limiter.close()
      }),
      { numRuns: 15, examples: [[['hang', 'hang', 'hang', 'hang', 'up'], 273]] },
    )
  })
})
