import { describe, expect, it } from 'vitest'
import { circuitBreaker } from '../../../src/policies/breaker/circuit-breaker.ts'
import { bulkhead } from '../../../src/policies/bulkhead/bulkhead.ts'
import { guard } from '../../../src/policies/guard/guard.ts'
import { perSecond } from '../../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { expectIdle, follow, Task } from './fixture.ts'

const random = () => 0.5

describe('a guard around a real breaker, limiter and bulkhead', () => {
  it('opens at failures of the task, not at its own refusals', async () => {
    const clock = new FakeClock(1_000_000)
    const breaker = circuitBreaker({
      window: { type: 'consecutive', failures: 3 },
      openFor: '5s',
      clock,
      random,
    })
    const cells = bulkhead({ max: 1, clock })
    const run = guard({ breaker, bulkhead: cells, timeout: '1s', clock, random })
    const task = new Task()
    void follow(run(task.run))
    for (let i = 0; i < 10; i++) {
      await expect(run(task.run)).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    }
    expect(breaker.state).toBe('closed')
    await clock.advance('1s')
    for (let i = 0; i < 2; i++) {
      const call = follow(run(task.run))
      await clock.advance('1s')
      expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    }
    expect(breaker.state).toBe('open')
    await expect(run(task.run)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
    expect(run.stats()).toMatchObject({ calls: 14, timeouts: 3, rejected: 11 })
    await clock.advance('5s')
    expect(await run(async () => 'back')).toBe('back')
    expect(breaker.state).toBe('closed')
    expectIdle(clock)
  })

  it('waits for tokens within its deadline, and refuses at once what cannot fit', async () => {
    const clock = new FakeClock(1_000_000)
    const limit = rateLimiter({ limits: { requests: perSecond(1) }, clock, random })
    const run = guard({ deadline: '1500ms', limit, clock, random })
    const answers = [1, 2, 3].map((value) => follow(run(async () => value)))
    await clock.advance(0)
    expect(answers.map(({ value }) => value)).toEqual([1, undefined, undefined])
    expect(answers[2]?.error).toMatchObject({ code: 'ERR_RATE_LIMITED' })
    await clock.advance('1s')
    expect(answers[1]?.value).toBe(2)
    expectIdle(clock)
  })

  it('takes of each dimension of the limit what the call says, and one place in flight', async () => {
    const clock = new FakeClock(1_000_000)
    const limit = rateLimiter({
      limits: { requests: perSecond(10), tokens: perSecond(100) },
      clock,
      random,
    })
    const cells = bulkhead({ max: 5, clock })
    const run = guard({ limit, bulkhead: cells, clock, random })
    expect(await run(async () => 'many', { cost: { tokens: 60 } })).toBe('many')
    expect(limit.tryAcquire({ tokens: 41 })).toMatchObject({ ok: false })
    expect(limit.tryAcquire({ tokens: 40 })).toMatchObject({ ok: true })
    await clock.advance('1s')
    expect(await run(async () => 'heavy', { weight: 8 })).toBe('heavy')
    expect(limit.tryAcquire(3)).toMatchObject({ ok: false })
    expectIdle(clock)
  })

  it('counts a call that waits for its token as no refusal of the limit', async () => {
    const clock = new FakeClock(1_000_000)
    const limit = rateLimiter({ limits: { requests: perSecond(1) }, clock, random })
    const run = guard({ limit, clock, random })
    const calls = [1, 2].map((value) => follow(run(async () => value)))
    await clock.advance('1s')
    expect(calls.map(({ value }) => value)).toEqual([1, 2])
    expect(limit.stats()).toMatchObject({ acquired: 2, waited: 1, rejected: 0 })
    expectIdle(clock)
  })

  it('gives the tokens back where the bulkhead refuses', async () => {
    const clock = new FakeClock(1_000_000)
    const limit = rateLimiter({ limits: { requests: perSecond(5) }, clock, random })
    const run = guard({ limit, bulkhead: 1, clock, random })
    const task = new Task()
    const first = follow(run(task.run))
    for (let i = 0; i < 20; i++) {
      await expect(run(task.run)).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    }
    expect(limit.stats().available).toEqual({ requests: 4 })
    task.last.resolve('done')
    await clock.advance(0)
    expect(first.value).toBe('done')
  })

  it('builds them of options, named like itself', async () => {
    const clock = new FakeClock(1_000_000)
    const run = guard({
      name: 'claude',
      breaker: { window: { type: 'consecutive', failures: 1 } },
      limit: { limits: { requests: perSecond(100) } },
      bulkhead: 2,
      clock,
      random,
    })
    await expect(run(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
    await expect(run(async () => 1)).rejects.toMatchObject({
      code: 'ERR_CIRCUIT_OPEN',
      message: expect.stringContaining('claude'),
    })
  })

  it('refuses their wrong options like its own', () => {
    expect(() => guard({ breaker: { failurerate: 0.5 } as never })).toThrow('failureRate')
    expect(() => guard({ limit: {} as never })).toThrow('limits')
    expect(() => guard({ bulkhead: 0 })).toThrow('max')
  })
})
