import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { concurrency, perSecond } from '../../../src/policies/rate/limit.ts'
import type { LimiterQueueOptions } from '../../../src/policies/rate/limiter-options.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { states, watch } from './outcomes.ts'

/** One call each 100 ms, and the first is gone. */
function busy(queue: LimiterQueueOptions = {}) {
  const clock = new FakeClock(1000)
  const limiter = rateLimiter({
    name: 'api',
    limits: { requests: perSecond(10, { burst: 1 }) },
    queue,
    clock,
  })
  limiter.tryAcquire()
  return { clock, limiter }
}

describe('acquire', () => {
  it('resolves at once while there is room, without a timer', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { requests: perSecond(2) }, clock })
    expect((await limiter.acquire()).ok).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('lets callers go one after the other, with one timer for all', async () => {
    const { clock, limiter } = busy()
    const calls = [1, 2, 3].map(() => watch(limiter.acquire()))
    expect(clock.pending).toBe(1)
    await clock.advance(100)
    expect(states(calls)).toEqual(['ok', 'pending', 'pending'])
    expect(clock.pending).toBe(1)
    await clock.advance(200)
    expect(states(calls)).toEqual(['ok', 'ok', 'ok'])
    expect(clock.pending).toBe(0)
    expect(limiter.stats()).toMatchObject({ acquired: 4, waited: 3, waiting: 0, rejected: 0 })
  })

  it('lets the more urgent go first', async () => {
    const { clock, limiter } = busy()
    const order: string[] = []
    const call = (name: string, priority: number) =>
      limiter.acquire(1, { priority }).then(() => order.push(name))
    void call('low', -1)
    void call('first', 0)
    void call('second', 0)
    void call('high', 5)
    await clock.advance(400)
    expect(order).toEqual(['high', 'first', 'second', 'low'])
  })

  it('ignores priorities where the order is that of arrival', async () => {
    const { clock, limiter } = busy({ order: 'fifo' })
    const order: number[] = []
    for (const priority of [1, 9, 5]) {
      void limiter.acquire(1, { priority }).then(() => order.push(priority))
    }
    await clock.advance(300)
    expect(order).toEqual([1, 9, 5])
  })

  it('starves nobody: waiting counts as priority', async () => {
    const { clock, limiter } = busy({ ageing: '1s' })
    const patient = watch(limiter.acquire(1, { priority: 0 }))
    let urgent = 0
    while (patient.state === 'pending' && urgent < 100) {
      void limiter.acquire(1, { priority: 3 })
      urgent++
      await clock.advance(100)
    }
    expect(patient.state).toBe('ok')
    expect(urgent).toBeGreaterThan(29)
    expect(urgent).toBeLessThan(33)
  })

  it('gives a large cost its turn among small ones', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { tokens: perSecond(100) }, clock })
    limiter.tryAcquire(100)
    const large = watch(limiter.acquire(80))
    const small = Array.from({ length: 5 }, () => watch(limiter.acquire(1)))
    await clock.advance(790)
    expect(states([large, ...small])).toEqual(Array(6).fill('pending'))
    await clock.advance(10)
    expect(large.state).toBe('ok')
    await clock.advance(50)
    expect(states(small)).toEqual(Array(5).fill('ok'))
  })

  it('waits for what is in flight', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { inFlight: concurrency(2) }, clock })
    const [first] = [limiter.tryAcquire(), limiter.tryAcquire()]
    const third = watch(limiter.acquire())
    await clock.advance('10s')
    expect(third.state).toBe('pending')
    if (first?.ok) first.release()
    await clock.advance(0)
    expect(third.state).toBe('ok')
  })

  it('ends a wait with its signal, and leaves no listener and no hole behind', async () => {
    const { clock, limiter } = busy()
    const { signal, abort } = aborter()
    const left = watch(limiter.acquire(1, { signal }))
    const next = watch(limiter.acquire())
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    abort()
    await clock.advance(100)
    expect(states([left, next])).toEqual(['ERR_ABORTED', 'ok'])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    expect(limiter.stats()).toMatchObject({ aborted: 1, waiting: 0 })
    expect(clock.pending).toBe(0)
  })

  it('leaves no listener behind when it goes', async () => {
    const { clock, limiter } = busy()
    const { signal } = aborter()
    const call = watch(limiter.acquire(1, { signal }))
    await clock.advance(100)
    expect(call.state).toBe('ok')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('takes nothing for a signal that is aborted already', async () => {
    const { limiter } = busy()
    const signal = AbortSignal.abort(new Error('gone'))
    await expect(limiter.acquire(1, { signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: { message: 'gone' },
    })
    await expect(limiter(() => 1, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(limiter.stats()).toMatchObject({ acquired: 1, waiting: 0 })
  })

  it('refuses a priority that is none', async () => {
    const { limiter } = busy()
    await expect(limiter.acquire(1, { priority: Number.NaN })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    })
    expect(limiter.stats().waiting).toBe(0)
  })
})

describe('a wait that is too long', () => {
  it('is refused at once when it is known to be', async () => {
    const { clock, limiter } = busy({ maxWait: 250 })
    const calls = [1, 2, 3].map(() => watch(limiter.acquire()))
    await clock.advance(0)
    expect(states(calls)).toEqual(['pending', 'pending', 'ERR_RATE_LIMITED'])
    expect(calls[2]).toMatchObject({
      retryAfterMs: 300,
      message:
        "rate limiter 'api': the wait would be longer than its deadline or queue.maxWait; try again in 300 ms, send less, or raise its limits",
    })
  })

  it('is judged by the deadline of the call too', async () => {
    const { clock, limiter } = busy()
    const deadline = clock.now() + 99
    expect(watch(limiter.acquire(1, { deadline }))).toBeDefined()
    await expect(limiter.acquire(1, { deadline })).rejects.toMatchObject({ retryAfterMs: 100 })
    await expect(limiter(() => 1, { deadline })).rejects.toMatchObject({ code: 'ERR_RATE_LIMITED' })
    await expect(limiter.acquire(1, { deadline: 999 })).rejects.toMatchObject({
      code: 'ERR_RATE_LIMITED',
    })
    expect(limiter.stats()).toMatchObject({ waiting: 0, rejected: 4 })
  })

  it('counts only who is ahead: the urgent may go before many', async () => {
    const { clock, limiter } = busy({ maxWait: 500 })
    for (let i = 0; i < 5; i++) watch(limiter.acquire())
    const late = watch(limiter.acquire())
    const urgent = watch(limiter.acquire(1, { priority: 1 }))
    await clock.advance(100)
    expect(states([late, urgent])).toEqual(['ERR_RATE_LIMITED', 'ok'])
    limiter.close()
  })

  it('ends when its time is up, where nobody could know', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({
      limits: { inFlight: concurrency(1) },
      queue: { maxWait: '2s' },
      clock,
    })
    limiter.tryAcquire()
    const short = watch(limiter.acquire(1, { deadline: 500 }))
    const long = watch(limiter.acquire())
    await clock.advance(500)
    expect(states([short, long])).toEqual(['ERR_RATE_LIMITED', 'pending'])
    expect(short.message).toContain('it waited until its deadline')
    await clock.advance(1500)
    expect(long.state).toBe('ERR_RATE_LIMITED')
    expect(clock.pending).toBe(0)
  })
})

describe('a full queue', () => {
  it('refuses whoever comes', async () => {
    const { clock, limiter } = busy({ max: 2 })
    const calls = [1, 2, 3].map(() => watch(limiter.acquire()))
    await clock.advance(0)
    expect(states(calls)).toEqual(['pending', 'pending', 'ERR_RATE_LIMITED'])
    expect(calls[2]?.message).toContain('queue.max callers wait already')
  })

  it('drops the oldest where it should', async () => {
    const { clock, limiter } = busy({ max: 2, overflow: 'drop-oldest' })
    const calls = [2, 1, 0].map((priority) => watch(limiter.acquire(1, { priority })))
    await clock.advance(0)
    expect(states(calls)).toEqual(['ERR_RATE_LIMITED', 'pending', 'pending'])
    expect(calls[0]?.message).toContain('it was dropped from the full queue for another')
    await clock.advance(200)
    expect(states(calls)).toEqual(['ERR_RATE_LIMITED', 'ok', 'ok'])
  })

  it('drops the least urgent where it should, which may be the newcomer', async () => {
    const { clock, limiter } = busy({ max: 2, overflow: 'drop-lowest' })
    const calls = [1, 2, 1, 3].map((priority) => watch(limiter.acquire(1, { priority })))
    await clock.advance(0)
    expect(states(calls)).toEqual(['ERR_RATE_LIMITED', 'pending', 'ERR_RATE_LIMITED', 'pending'])
  })

  it('of 0 lets nobody wait', async () => {
    for (const overflow of ['reject', 'drop-oldest', 'drop-lowest'] as const) {
      const { limiter } = busy({ max: 0, overflow })
      await expect(limiter.acquire()).rejects.toMatchObject({ code: 'ERR_RATE_LIMITED' })
      expect(limiter.stats().waiting).toBe(0)
    }
  })
})

function aborter() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
