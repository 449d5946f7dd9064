import pLimit from 'p-limit'
import { describe, expect, it } from 'vitest'
import type { Permit } from '../../../src/contracts/permit.ts'
import { isRunner } from '../../../src/contracts/runner.ts'
import { guard } from '../../../src/policies/guard/guard.ts'
import type { GuardOptions } from '../../../src/policies/guard/guard-options.ts'
import { retry } from '../../../src/policies/retry/retry.ts'
import { timeout } from '../../../src/policies/timeout/timeout.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countedSignal, expectIdle, failsTimes, follow, Task } from './fixture.ts'
import { FakeBreaker, FakeSource } from './gates.ts'

const NOW = { backoff: { initial: 0, max: 0 } } as const

function aGuard(options: GuardOptions) {
  const clock = new FakeClock(1_000_000)
  const run = guard({ name: 'claude', clock, random: () => 0.5, ...options })
  return { clock, run, task: new Task() }
}

describe('a guard without stages', () => {
  it('runs its task', async () => {
    const { clock, run } = aGuard({})
    expect(await run(async () => 1)).toBe(1)
    expect(await run(() => 2)).toBe(2)
    await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(isRunner(run)).toBe(true)
    expectIdle(clock)
  })

  it('hands on the very signal of its caller', async () => {
    const { signal } = new AbortController()
    expect(await aGuard({}).run((given) => given === signal, { signal })).toBe(true)
  })
})

describe('the order of the stages', () => {
  it('has the breaker see each attempt, and the fallback the last error, once', async () => {
    const breaker = new FakeBreaker()
    const seen: unknown[] = []
    const { run } = aGuard({
      retry: NOW,
      breaker,
      fallback: (error) => {
        seen.push(error)
        return 'instead'
      },
    })
    const error = new Error('down')
    expect(await run(failsTimes(9, error).run)).toBe('instead')
    expect(breaker.log).toEqual(['failed: down', 'failed: down', 'failed: down'])
    expect(seen).toEqual([error])
  })

  it('has the fallback see the deadline expire', async () => {
    const { clock, run, task } = aGuard({
      deadline: '1s',
      fallback: (error) => (error as { code: string }).code,
    })
    const call = follow(run(task.run))
    await clock.advance('1s')
    expect(call.value).toBe('ERR_TIMEOUT')
    expect(task.last.signal.aborted).toBe(true)
    expectIdle(clock)
  })

  it('spends no token and holds no slot while the breaker is open', async () => {
    const breaker = new FakeBreaker()
    const limit = new FakeSource(5)
    const bulkhead = new FakeSource(5)
    const { run, task } = aGuard({ breaker, limit, bulkhead })
    breaker.openFor(1000)
    const call = follow(run(task.run))
    await Promise.resolve()
    expect(call.error).toBe(breaker.open)
    expect([limit.costs, bulkhead.costs, task.calls]).toEqual([[], [], []])
  })

  it('holds no slot while it waits for tokens, and gives both back', async () => {
    const limit = new FakeSource(0)
    const bulkhead = new FakeSource(1)
    const { clock, run, task } = aGuard({ limit, bulkhead })
    const call = follow(run(task.run, { weight: 3, priority: 2 }))
    await clock.advance(0)
    expect([limit.waiting.length, bulkhead.held, task.calls.length]).toEqual([1, 0, 0])
    expect([limit.costs, limit.asked]).toMatchObject([[3], [{ priority: 2 }]])
    limit.waiting[0]?.grant()
    await clock.advance(0)
    expect([limit.held, bulkhead.held, task.calls.length]).toEqual([1, 1, 1])
    task.last.resolve('done')
    await clock.advance(0)
    expect([call.value, limit.held, bulkhead.held]).toEqual(['done', 0, 0])
  })

  it('gives back what is granted when nobody waits any more', async () => {
    const late = Promise.withResolvers<Permit>()
    const deaf = Object.assign(new FakeSource(0), { acquire: () => late.promise })
    const { clock, run, task } = aGuard({ limit: deaf, deadline: '1s' })
    const call = follow(run(task.run))
    await clock.advance('1s')
    let released = 0
    const release = (): void => void released++
    late.resolve({ ok: true, settle: release, release, [Symbol.dispose]: release })
    await clock.advance(0)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect([released, task.calls.length]).toEqual([1, 0])
  })

  it('starts the time of an attempt when its task begins, not while it queues', async () => {
    const bulkhead = new FakeSource(0)
    const { clock, run, task } = aGuard({ bulkhead, timeout: '100ms' })
    const call = follow(run(task.run))
    await clock.advance('10s')
    bulkhead.waiting[0]?.grant()
    await clock.advance(99)
    expect([call.isPending, task.calls.length]).toEqual([true, 1])
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(bulkhead.held).toBe(0)
    expectIdle(clock)
  })
})

describe('what the breaker is told', () => {
  it('of an attempt that ran into its time-out: a failure', async () => {
    const breaker = new FakeBreaker()
    const { clock, run, task } = aGuard({
      breaker,
      timeout: '100ms',
      retry: { attempts: 2, ...NOW },
    })
    const call = follow(run(task.run))
    await clock.advance(100)
    task.last.resolve('second attempt')
    await clock.advance(0)
    expect(call.value).toBe('second attempt')
    expect(breaker.log).toEqual(['failed: ERR_TIMEOUT', 'succeeded'])
    expect(task.calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expectIdle(clock)
  })

  it.each([
    ['the deadline', async (clock: FakeClock) => clock.advance('1s')],
    ['the caller', async (_: FakeClock, caller: AbortController) => caller.abort()],
  ])('of a call that was ended by %s: nothing', async (_, end) => {
    const breaker = new FakeBreaker()
    const bulkhead = new FakeSource(1)
    const { clock, run, task } = aGuard({ breaker, bulkhead, deadline: '1s' })
    const caller = countedSignal()
    const call = follow(run(task.run, { signal: caller.signal }))
    await end(clock, caller.controller)
    await clock.advance(0)
    expect([call.isPending, breaker.log, bulkhead.held]).toEqual([false, ['dropped'], 0])
    expect(task.last.signal.aborted).toBe(true)
    task.last.reject(new Error('given up'))
    await clock.advance(0)
    expect(breaker.log).toEqual(['dropped'])
    expectIdle(clock, caller)
  })

  it('of a refused permit: nothing', async () => {
    const breaker = new FakeBreaker()
    const limit = new FakeSource(0)
    const { clock, run } = aGuard({ breaker, limit })
    const call = follow(run(async () => 1))
    limit.waiting[0]?.reject(new Error('queue full'))
    await clock.advance(0)
    expect([call.error, breaker.log]).toEqual([new Error('queue full'), ['dropped']])
    expect(run.stats()).toMatchObject({ rejected: 1, failed: 1 })
  })

  it('of a source that throws: nothing', async () => {
    const breaker = new FakeBreaker()
    const limit = Object.assign(new FakeSource(1), {
      tryAcquire() {
        throw new Error('could never fit')
      },
    })
    const { run } = aGuard({ breaker, limit })
    await expect(run(async () => 1)).rejects.toThrow('could never fit')
    expect(breaker.log).toEqual(['dropped'])
  })
})

describe('an open breaker and a retry', () => {
  it('wait for one another where the deadline leaves time', async () => {
    const breaker = new FakeBreaker()
    const { clock, run } = aGuard({ deadline: '5s', retry: {}, breaker })
    breaker.openFor(2000)
    const call = follow(run(async () => 'back'))
    await clock.advance(1999)
    expect(call.isPending).toBe(true)
    breaker.open = undefined
    await clock.advance(1)
    expect(call.value).toBe('back')
  })

  it('do not where it does not', async () => {
    const breaker = new FakeBreaker()
    const { clock, run } = aGuard({ deadline: '1s', retry: {}, breaker })
    breaker.openFor(2000)
    const call = follow(run(async () => 'back'))
    await clock.advance(0)
    expect(call.error).toBe(breaker.open)
    expectIdle(clock)
  })
})

describe('a hedge', () => {
  it('passes breaker and bulkhead like the first copy, and gives back what it held', async () => {
    const breaker = new FakeBreaker()
    const bulkhead = new FakeSource(2)
    const { clock, run, task } = aGuard({
      idempotent: true,
      hedge: { after: '100ms' },
      breaker,
      bulkhead,
      timeout: '1s',
    })
    const call = follow(run(task.run))
    await clock.advance(100)
    expect(bulkhead.held).toBe(2)
    task.calls[1]?.resolve('second')
    await clock.advance(0)
    expect([call.value, bulkhead.held, breaker.log]).toEqual([
      'second',
      0,
      ['succeeded', 'dropped'],
    ])
    expectIdle(clock)
  })

  it('does not queue: it would come too late to help', async () => {
    const bulkhead = new FakeSource(1)
    const { clock, run, task } = aGuard({ idempotent: true, hedge: { after: '100ms' }, bulkhead })
    const call = follow(run(task.run))
    await clock.advance(100)
    expect([bulkhead.waiting.length, task.calls.length]).toEqual([0, 1])
    task.last.resolve('first')
    await clock.advance(0)
    expect(call.value).toBe('first')
    expect(run.stats()).toMatchObject({ hedges: 1, rejected: 1, succeeded: 1 })
  })

  it('is anew in each attempt, and each copy has its own time-out', async () => {
    const { clock, run, task } = aGuard({
      hedge: { after: '60ms', idempotent: true },
      timeout: '100ms',
      retry: { attempts: 2, ...NOW },
    })
    const call = follow(run(task.run))
    await clock.advance(100)
    expect(task.calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
    await clock.advance(60)
    expect(task.calls.map(({ signal }) => signal.aborted)).toEqual([true, true, false])
    await clock.advance(60)
    expect(task.calls).toHaveLength(4)
    task.last.resolve('fourth')
    await clock.advance(0)
    expect(call.value).toBe('fourth')
    expectIdle(clock)
  })
})

describe('one timer per call', () => {
  it('is all there is, whatever stages there are', async () => {
    const { clock, run, task } = aGuard({
      deadline: '10s',
      retry: {},
      hedge: { after: '100ms' },
      idempotent: true,
      timeout: '1s',
    })
    const call = follow(run(task.run))
    const most = []
    for (let i = 0; i < 40; i++) {
      most.push(clock.pending)
      await clock.advance(100)
    }
    expect(Math.max(...most)).toBe(1)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expectIdle(clock)
  })

  it('is not even made for a task that answers at once', async () => {
    const { clock, run } = aGuard({ deadline: '10s', timeout: '1s' })
    let made = 0
    const { setTimeout } = clock
    clock.setTimeout = (...args) => {
      made++
      return setTimeout.apply(clock, args)
    }
    expect(await run(() => 1)).toBe(1)
    expect(made).toBe(0)
    await run(async () => 1)
    expect(made).toBe(1)
  })
})

describe('stages of their own', () => {
  it('may be shared, with their budget', async () => {
    const shared = retry({ budget: 0.1, ...NOW })
    const first = aGuard({ retry: shared }).run
    const second = aGuard({ retry: shared }).run
    const task = failsTimes(Number.POSITIVE_INFINITY)
    for (let i = 0; i < 5; i++) await first(task.run).catch(() => {})
    expect(first.stats().retries).toBe(10)
    await second(task.run).catch(() => {})
    expect(second.stats()).toMatchObject({ retries: 0, retriesDenied: 1 })
  })

  it('may be a limiter of another library', async () => {
    const breaker = new FakeBreaker()
    const { clock, run, task } = aGuard({
      deadline: '5s',
      retry: { attempts: 2, ...NOW },
      breaker,
      bulkhead: pLimit(1),
      timeout: '1s',
    })
    const calls = [follow(run(task.run)), follow(run(task.run))]
    await clock.advance(0)
    expect(task.calls).toHaveLength(1)
    await clock.advance('1s')
    expect(breaker.log).toEqual(['failed: ERR_TIMEOUT'])
    expect(task.calls).toHaveLength(2)
    task.last.resolve('a')
    await clock.advance(0)
    task.last.resolve('b')
    await clock.advance(0)
    expect(calls.map(({ value }) => value).toSorted()).toEqual(['a', 'b'])
    expect(run.stats()).toMatchObject({
      calls: 2,
      succeeded: 2,
      timeouts: 1,
      retries: 1,
      inFlight: 0,
    })
    expectIdle(clock)
  })

  it('keep the deadline around such a limiter, once', async () => {
    const { clock, run, task } = aGuard({ deadline: '1s', limit: pLimit(1), timeout: '900ms' })
    void follow(run(task.run))
    const call = follow(run(task.run))
    await clock.advance('1s')
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect((call.error as Error).message).toContain('deadline')
    expect(run.stats()).toMatchObject({ deadlines: 1, timeouts: 1, failed: 2, inFlight: 0 })
    expectIdle(clock)
  })

  it('keep the deadline around a task that such a limiter has let through', async () => {
    const breaker = new FakeBreaker()
    // One that begins its task at once, so that the inner stages are there first.
    const limit = (begin: () => unknown) => begin() as Promise<never>
    const { clock, run, task } = aGuard({ deadline: '1s', breaker, limit })
    const call = follow(run(task.run))
    await clock.advance('1s')
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect([breaker.log, run.stats().deadlines]).toEqual([['dropped'], 1])
    expect(task.last.signal.aborted).toBe(true)
    expectIdle(clock)
  })
})

describe('wrap', () => {
  it('keeps arguments and this, and tells the fallback of the arguments', async () => {
    const shop = {
      price: 3,
      total: aGuard({ retry: NOW }).run.wrap(async function (
        this: { price: number },
        count: number,
      ) {
        return this.price * count
      }),
      broken: aGuard({
        fallback: (_, { args }) => args,
      }).run.wrap(async (_id: number): Promise<readonly unknown[]> => {
        throw new Error('no')
      }),
    }
    expect(await shop.total(2)).toBe(6)
    expect(await shop.broken(7)).toEqual([7])
  })
})

describe('stats and events', () => {
  it('tell what happened', async () => {
    const breaker = new FakeBreaker()
    const { clock, run, task } = aGuard({ deadline: '10s', breaker, timeout: '1s', fallback: 0 })
    const told: string[] = []
    for (const name of ['call', 'timeout', 'reject', 'fallback'] as const) {
      run.on(name, (event) =>
        told.push(`${name} ${(event as { kind?: string }).kind ?? ''}`.trim()),
      )
    }
    const slow = follow(run(task.run))
    await clock.advance('1s')
    breaker.openFor(10)
    await run(task.run)
    expect(slow.value).toBe(0)
    expect(told).toEqual(['timeout attempt', 'call', 'fallback', 'reject', 'call', 'fallback'])
    expect(run.stats()).toEqual({
      calls: 2,
      inFlight: 0,
      succeeded: 0,
      failed: 2,
      aborted: 0,
      retries: 0,
      retriesDenied: 0,
      hedges: 0,
      hedgesWon: 0,
      hedgesDenied: 0,
      timeouts: 1,
      deadlines: 0,
      rejected: 1,
      fallbacks: 2,
    })
  })

  it('name the guard, in messages too', async () => {
    const { clock, run, task } = aGuard({ deadline: '1s' })
    const call = follow(run(task.run))
    await clock.advance('1s')
    expect((call.error as Error).message).toBe(
      "guard 'claude': the call did not end before its deadline (1000 ms); raise deadline, or give a fallback",
    )
    expect(run.name).toBe('claude')
  })
})

describe('combinations that make no sense', () => {
  it.each<[object, string]>([
    [
      { timeout: '5s', deadline: '2s' },
      'timeout (5000 ms) is longer than deadline (2000 ms): no attempt could reach it',
    ],
    [{ hedge: { after: 'p95' } }, 'a guard with hedge needs idempotent: true'],
    [{ hedge: { after: 'p95', idempotent: true }, idempotent: false }, 'needs idempotent: true'],
    [
      { hedge: { after: '2s' }, idempotent: true, timeout: '1s' },
      'hedge.after (2000 ms) is not shorter than timeout (1000 ms): no second copy',
    ],
    [
      { hedge: { after: '2s' }, idempotent: true, deadline: '2s' },
      'hedge.after (2000 ms) is not shorter than deadline (2000 ms)',
    ],
    [{ retry: { attempts: 0 } }, 'retry.attempts counts all calls, the first included'],
    [{ retry: {}, idempotent: false }, 'a task that must not run twice must not be repeated'],
    [{ deadline: 0 }, 'deadline must be longer than 0'],
    [{ deadline: 'soon' }, 'deadline must be a duration'],
    [{ timeouts: '1s' }, "unknown option of guard(): 'timeouts'; did you mean 'timeout'?"],
    [{ retry: { attempt: 3 } }, "unknown option of retry: 'attempt'; did you mean 'attempts'?"],
    [{ retry: timeout('1s') }, 'retry of guard() must be its options or what retry() makes'],
    [{ hedge: retry(), idempotent: true }, 'hedge of guard() must be its options or what hedge()'],
    [{ timeout: retry() }, 'timeout of guard() must be its options or what timeout() makes'],
    [{ limit: new FakeBreaker() }, 'limit of guard() was given a breaker: give it as breaker'],
    [
      { breaker: new FakeSource(1) },
      'breaker of guard() was given a limiter: give it as limit or bulkhead',
    ],
    [{ breaker: 5 }, 'breaker must be its options, an instance, or a limiter such as pLimit(5)'],
    [{ limit: 'fast' }, 'limit must be its options, an instance, or a limiter such as pLimit(5)'],
    [{ breaker: { timeout: '1s' } }, 'breaker.timeout'],
    [{ idempotent: 'yes' }, 'idempotent must be true or false'],
    [{ name: 5 }, 'name of guard() must be text of 1 to 100 characters, got a number'],
    [null as never, 'guard() takes an options object, got null'],
  ])('%j', (options, message) => {
    expect(() => guard(options)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    )
  })

  it('do not include those that look alike', () => {
    guard({ timeout: '2s', deadline: '2s' })
    guard({ retry: { attempts: 1 }, idempotent: false })
    guard({ retry: { retryIf: () => true }, idempotent: false })
  })
})
