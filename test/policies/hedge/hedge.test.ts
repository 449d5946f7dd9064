import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { type HedgeOptions, hedge } from '../../../src/policies/hedge/hedge.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countedSignal, expectIdle, follow, Task } from '../guard/fixture.ts'

function aHedge(options: Partial<HedgeOptions> = {}) {
  const clock = new FakeClock(1_000_000)
  const run = hedge({ after: '100ms', idempotent: true, clock, ...options })
  return { clock, run, task: new Task() }
}

describe('a slow task', () => {
  it('gets a second copy, and the loser is aborted', async () => {
    const { clock, run, task } = aHedge()
    const call = follow(run(task.run))
    await clock.advance(99)
    expect(task.calls).toHaveLength(1)
    await clock.advance(1)
    expect(task.calls).toHaveLength(2)
    task.calls[1]?.resolve('second')
    await clock.advance(1)
    expect(call.value).toBe('second')
    expect(task.calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expectIdle(clock)
    expect(run.stats()).toMatchObject({ calls: 1, succeeded: 1, hedges: 1, hedgesWon: 1 })
  })

  it('may win itself', async () => {
    const { clock, run, task } = aHedge()
    const call = follow(run(task.run))
    await clock.advance(150)
    task.calls[0]?.resolve('first')
    await clock.advance(1)
    expect(call.value).toBe('first')
    expect(task.calls.map(({ signal }) => signal.aborted)).toEqual([false, true])
    expect(run.stats()).toMatchObject({ hedges: 1, hedgesWon: 0 })
  })

  it('gets no third copy', async () => {
    const { clock, run, task } = aHedge()
    const call = follow(run(task.run))
    await clock.advance('1h')
    expect(task.calls).toHaveLength(2)
    task.last.resolve(1)
    await clock.advance(1)
    expect(call.value).toBe(1)
  })

  it('has failed when both copies have, with the error of the first', async () => {
    const { clock, run, task } = aHedge()
    const call = follow(run(task.run))
    await clock.advance(100)
    task.calls[0]?.reject(new Error('first'))
    await clock.advance(1)
    expect(call.isPending).toBe(true)
    task.calls[1]?.reject(new Error('second'))
    await clock.advance(1)
    expect(call.error).toEqual(new Error('first'))
    expectIdle(clock)
  })

  it('is saved by its second copy', async () => {
    const { clock, run, task } = aHedge()
    const call = follow(run(task.run))
    await clock.advance(100)
    task.calls[0]?.reject(new Error('first'))
    await clock.advance(1)
    task.calls[1]?.resolve('second')
    await clock.advance(1)
    expect(call.value).toBe('second')
  })
})

describe('a quick task', () => {
  it('gets no second copy', async () => {
    const { clock, run, task } = aHedge()
    const call = follow(run(task.run))
    await clock.advance(50)
    task.last.resolve('quick')
    await clock.advance('1s')
    expect([call.value, task.calls.length]).toEqual(['quick', 1])
    expectIdle(clock)
  })

  it('that fails is not repeated', async () => {
    const { clock, run, task } = aHedge()
    const call = follow(run(task.run))
    task.last.reject(new Error('no'))
    await clock.advance('1s')
    expect([call.error, task.calls.length]).toEqual([new Error('no'), 1])
    expectIdle(clock)
  })
})

describe("after: 'p95'", () => {
  async function taking(ms: number, { clock, run }: ReturnType<typeof aHedge>) {
    const task = new Task()
    const call = follow(run(task.run))
    await clock.advance(ms)
    for (const { resolve } of task.calls) resolve(ms)
    await clock.advance(0)
    expect(call.value).toBe(ms)
    return task.calls.length
  }

  it('begins when 20 were observed, and follows what they take', async () => {
    const world = aHedge({ after: 'p95', budget: false })
    expect(await taking(60_000, world)).toBe(1)
    for (let i = 0; i < 40; i++) await taking(100, world)
    expect(await taking(90, world)).toBe(1)
    expect(await taking(115, world)).toBe(2)
  })

  it('does not sink because slow ones are overtaken', async () => {
    const { clock, run } = aHedge({ after: 'p95', budget: false })
    const random = seededRandom(5)
    for (let i = 0; i < 1000; i++) {
      const takes = Math.floor(50 + 100 * random())
      let copies = 0
      const call = follow(
        run(() => {
          // The second copy is always quick.
          if (++copies > 1) return 'second'
          return new Promise((resolve) => clock.setTimeout(() => resolve('first'), takes))
        }),
      )
      await clock.advance(150)
      expect(call.isPending).toBe(false)
    }
    // About one of twenty; far more if what the quick copies take were what is observed.
    expect(run.stats().hedges).toBeLessThan(100)
  })
})

describe('the budget', () => {
  it('bounds the second copies to a share of the calls', async () => {
    const { clock, run } = aHedge({ budget: 0.05 })
    const task = new Task()
    for (let i = 0; i < 200; i++) {
      const call = follow(run(task.run))
      await clock.advance(100)
      task.last.resolve(i)
      await clock.advance(0)
      expect(call.isPending).toBe(false)
    }
    // Ten at first, ten of the traffic, and one that came in the 20 s that it took.
    expect(run.stats()).toMatchObject({ calls: 200, hedges: 21, hedgesDenied: 179 })
  })
})

describe('the signal of the caller', () => {
  it('is passed on to both copies', async () => {
    const { clock, run, task } = aHedge()
    const caller = countedSignal()
    const call = follow(run(task.run, { signal: caller.signal }))
    await clock.advance(100)
    caller.controller.abort()
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_ABORTED' })
    expect(task.calls.map(({ signal }) => signal.aborted)).toEqual([true, true])
    expectIdle(clock, caller)
  })
})

describe('misuse', () => {
  it.each([
    [{ after: '1s' }, 'hedge() needs idempotent: true, since it runs a task twice'],
    [{ after: '1s', idempotent: false }, 'hedge() needs idempotent: true'],
    [{ idempotent: true }, "hedge.after is missing: a duration, or a quantile such as 'p95'"],
    [{ idempotent: true, after: 'p30' }, "hedge.after must be from 'p50' to 'p99.9'"],
    [{ idempotent: true, after: 'p' }, "hedge.after must be from 'p50' to 'p99.9'"],
    [{ idempotent: true, after: 'soon' }, 'hedge.after must be a duration'],
    [{ idempotent: true, after: 5, budget: 2 }, 'hedge.budget must be a number from 0 to 1'],
  ])('%j', (given, message) => {
    expect(() => hedge(given as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    )
  })
})
