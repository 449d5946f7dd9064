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
