import { describe, expect, it, vi } from 'vitest'
import { isRunner, type Runner } from '../../../src/contracts/runner.ts'
import { concurrency, perSecond } from '../../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { states, watch } from './outcomes.ts'

describe('as a Runner', () => {
  it('is one, and gives what the task gives', async () => {
    const limiter: Runner = rateLimiter({ limits: { requests: perSecond(5) } })
    expect(isRunner(limiter)).toBe(true)
    expect(await limiter(() => 5)).toBe(5)
    expect(await limiter(async (signal) => signal.aborted)).toBe(false)
  })

  it('hands the signal of its caller to the task', async () => {
    const limiter = rateLimiter({ limits: { requests: perSecond(5) } })
    const { signal } = new AbortController()
    expect(await limiter((given) => given === signal, { signal })).toBe(true)
  })

  it('holds what is in flight while the task runs, whether it succeeds or fails', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { inFlight: concurrency(1) }, clock })
    const { promise, reject } = Promise.withResolvers<number>()
    const failing = watch(limiter(() => promise))
    const next = watch(
      limiter(() => {
        throw new Error('sync')
      }),
    )
    const last = watch(limiter(() => 1))
    await clock.advance(5)
    expect(states([failing, next, last])).toEqual(['pending', 'pending', 'pending'])
    expect(limiter.stats()).toMatchObject({ running: 1, waiting: 2, available: { inFlight: 0 } })
    reject(new Error('late'))
    await clock.advance(0)
    expect(states([failing, next, last])).toEqual(['Error: late', 'Error: sync', 'ok'])
    expect(limiter.stats()).toMatchObject({ running: 0, waiting: 0, available: { inFlight: 1 } })
  })

  it('takes its cost from the options', async () => {
    const limiter = rateLimiter({
      limits: { requests: perSecond(5), input: perSecond(100) },
      clock: new FakeClock(),
    })
    await limiter(() => 1, { weight: 2 })
    await limiter(() => 1, { cost: { input: 60 } })
    expect(limiter.stats().available).toEqual({ requests: 2, input: 40 })
  })

  it('starts no task whose signal aborts while it waits', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { requests: perSecond(1) }, clock })
    await limiter(() => 1)
    const controller = new AbortController()
    const task = vi.fn()
    const call = watch(limiter(task, { signal: controller.signal }))
    controller.abort()
    await clock.advance('2s')
    expect(call.state).toBe('ERR_ABORTED')
    expect(task).not.toHaveBeenCalled()
  })
})

describe('at the end', () => {
  it('drain resolves when nobody waits and no task runs', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { requests: perSecond(1) }, clock })
    const { promise, resolve } = Promise.withResolvers<void>()
    void limiter(() => promise)
    void limiter(() => 1)
    const drained = watch(limiter.drain())
    await clock.advance('1s')
    expect(drained.state).toBe('pending')
    resolve()
    await clock.advance(0)
    expect(drained.state).toBe('ok')
    await limiter.drain()
  })

  it('drain waits for what is held in flight, and not for permits of a rate alone', async () => {
    const clock = new FakeClock()
    const rates = rateLimiter({ limits: { requests: perSecond(5) }, clock })
    rates.tryAcquire()
    await rates.drain()
    const flights = rateLimiter({ limits: { inFlight: concurrency(1) }, clock })
    const permit = await flights.acquire()
    const drained = watch(flights.drain())
    await clock.advance(0)
    expect(drained.state).toBe('pending')
    permit.release()
    await clock.advance(0)
    expect(drained.state).toBe('ok')
  })

  it('drain resolves when the last one that waits gives up', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { requests: perSecond(1) }, clock })
    limiter.tryAcquire()
    const controller = new AbortController()
    watch(limiter.acquire(1, { signal: controller.signal }))
    const drained = watch(limiter.drain())
    controller.abort()
    await clock.advance(0)
    expect(drained.state).toBe('ok')
  })

  it('close rejects those who wait and those who come, and leaves tasks alone', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ name: 'api', limits: { inFlight: concurrency(1) }, clock })
    const { promise, resolve } = Promise.withResolvers<string>()
    const running = limiter(() => promise)
    const waiting = watch(limiter.acquire())
    limiter.close()
    limiter.close()
    const late = [watch(limiter.acquire()), watch(limiter(() => 1))]
    expect(() => limiter.tryAcquire()).toThrow("the rate limiter 'api' was closed: make a new one")
    resolve('done')
    expect(await running).toBe('done')
    expect(states([waiting, ...late])).toEqual(['ERR_CLOSED', 'ERR_CLOSED', 'ERR_CLOSED'])
    expect(clock.pending).toBe(0)
    await limiter.drain()
  })
})

describe('events', () => {
  it('tell of waits and refusals until their listener stops', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({
      name: 'api',
      limits: { requests: perSecond(10, { burst: 1 }) },
      clock,
    })
    const heard: unknown[] = []
    const stop = limiter.on('acquire', (event) => heard.push(event))
    limiter.on('reject', (event) => heard.push(event))
    limiter.tryAcquire()
    limiter.tryAcquire()
    void limiter.acquire()
    await clock.advance(100)
    stop()
    void limiter.acquire()
    await clock.advance(100)
    expect(heard).toEqual([
      { name: 'api', reason: 'not-now', retryAfterMs: 100 },
      { name: 'api', waitedMs: 100 },
    ])
  })
})
