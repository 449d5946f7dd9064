import { describe, expect, it } from 'vitest'
import type { Admission, BreakerGate } from '../../../src/contracts/permit.ts'
import { circuitBreaker } from '../../../src/policies/breaker/circuit-breaker.ts'
import { guard } from '../../../src/policies/guard/guard.ts'
import type { GuardOptions } from '../../../src/policies/guard/guard-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countedSignal, expectIdle, failsTimes, follow, Task } from './fixture.ts'
import { FakeBreaker, FakeSource } from './gates.ts'

const aborted = { code: 'ERR_ABORTED' }

function aGuard(options: GuardOptions) {
  const clock = new FakeClock(1_000_000)
  const run = guard({ clock, random: () => 0.5, ...options })
  return { clock, run, task: new Task(), caller: countedSignal() }
}

describe('a call that a listener aborts in the middle of a step', () => {
  it('begins no further attempt when the breaker opens', async () => {
    const clock = new FakeClock()
    const breaker = circuitBreaker({ clock, window: { type: 'consecutive', failures: 1 } })
    const { run, caller } = aGuard({ breaker, clock, retry: { backoff: { initial: 0, max: 0 } } })
    breaker.on('open', () => caller.controller.abort())
    const task = failsTimes(9)
    await expect(run(task.run, { signal: caller.signal })).rejects.toMatchObject(aborted)
    expect(task.count).toBe(1)
    expect(run.stats()).toMatchObject({ calls: 1, inFlight: 0, aborted: 1, failed: 0 })
    expectIdle(clock, caller)
  })

  it.each(['retry', 'budget-spent', 'timeout'] as const)(
    'ends once, and leaves no timer, at the event %s',
    async (event) => {
      const { clock, run, task, caller } = aGuard({
        timeout: '1s',
        retry: { budget: event === 'budget-spent' ? 0 : false },
      })
      run.on(event, () => caller.controller.abort())
      const call = follow(run(task.run, { signal: caller.signal }))
      await clock.advance('1s')
      expect(call.error).toMatchObject(aborted)
      expect(run.stats()).toMatchObject({ inFlight: 0, aborted: 1, failed: 0 })
      expectIdle(clock, caller)
    },
  )

  it('ends once when its deadline passes', async () => {
    const { clock, run, task, caller } = aGuard({ deadline: '1s', fallback: 'instead' })
    run.on('timeout', () => caller.controller.abort())
    const call = follow(run(task.run, { signal: caller.signal }))
    await clock.advance('1s')
    expect(call.error).toMatchObject(aborted)
    expect(run.stats()).toMatchObject({ inFlight: 0, aborted: 1, failed: 0, fallbacks: 0 })
    expectIdle(clock, caller)
  })

  it('starts no second copy', async () => {
    const { clock, run, task, caller } = aGuard({ hedge: { after: 10 }, idempotent: true })
    run.on('hedge', () => caller.controller.abort())
    const call = follow(run(task.run, { signal: caller.signal }))
    await clock.advance(10)
    expect([call.error, task.calls.length]).toMatchObject([aborted, 1])
    expectIdle(clock, caller)
  })

  it('ends once when the loser of two copies aborts it', async () => {
    const { clock, run, task, caller } = aGuard({ hedge: { after: 10 }, idempotent: true })
    const call = follow(run(task.run, { signal: caller.signal }))
    await clock.advance(10)
    task.calls[0]?.signal.addEventListener('abort', () => caller.controller.abort())
    task.calls[1]?.resolve('second')
    await clock.advance(0)
    expect(call.error).toMatchObject(aborted)
    expect(run.stats()).toMatchObject({ inFlight: 0, aborted: 1, succeeded: 0 })
  })

  it('gives back what it was just given', async () => {
    const log = new FakeBreaker()
    const bulkhead = new FakeSource(1)
    const { clock, run, task, caller } = aGuard({ bulkhead })
    const { tryAcquire } = bulkhead
    bulkhead.tryAcquire = (cost) => {
      caller.controller.abort()
      return tryAcquire.call(bulkhead, cost)
    }
    const breaker: BreakerGate = {
      admit: () => {
        other.caller.controller.abort()
        return log.admit() as Admission
      },
    }
    const other = aGuard({ breaker })
    const calls = [
      follow(run(task.run, { signal: caller.signal })),
      follow(other.run(task.run, { signal: other.caller.signal })),
    ]
    await clock.advance(0)
    expect(calls.map(({ error }) => error)).toMatchObject([aborted, aborted])
    expect([task.calls.length, bulkhead.held, log.log]).toEqual([0, 0, ['dropped']])
  })
})

describe('a fallback that takes its time', () => {
  it('is not waited for any more when the signal is aborted', async () => {
    const { clock, run, caller } = aGuard({ fallback: () => new Promise(() => {}) })
    const call = follow(run(failsTimes(1).run, { signal: caller.signal }))
    await clock.advance(0)
    expect(caller.count()).toBe(1)
    caller.controller.abort()
    await clock.advance(0)
    expect(call.error).toMatchObject(aborted)
  })

  it('leaves no listener behind', async () => {
    const { clock, run, caller } = aGuard({ fallback: async () => 'later' })
    expect(await run(failsTimes(1).run, { signal: caller.signal })).toBe('later')
    await clock.advance(0)
    expectIdle(clock, caller)
  })
})

describe('tokens', () => {
  it('are not spent where the bulkhead lets the task not begin', async () => {
    const limit = new FakeSource(5)
    const settled: unknown[] = []
    const { tryAcquire } = limit
    limit.tryAcquire = (cost) => {
      const permit = tryAcquire.call(limit, cost)
      return permit.ok ? { ...permit, settle: (actual) => void settled.push(actual) } : permit
    }
    const bulkhead = new FakeSource(0)
    const { clock, run, task } = aGuard({ limit, bulkhead })
    const call = follow(run(task.run))
    bulkhead.waiting[0]?.reject(new Error('full'))
    await clock.advance(0)
    expect([call.error, settled]).toEqual([new Error('full'), [0]])
  })
})

describe('a task that throws at once, again and again', () => {
  it('does not use up the stack', async () => {
    const { run } = aGuard({
      retry: { attempts: 20_000, budget: false, backoff: { initial: 0, max: 0 } },
    })
    let count = 0
    const call = run(() => {
      count++
      throw new Error('down')
    })
    await expect(call).rejects.toThrow('down')
    expect(count).toBe(20_000)
  })
})
