import pLimit from 'p-limit'
import { describe, expect, it } from 'vitest'
import { loadGuardOf } from '../../../src/contracts/load-guard.ts'
import { asRunner, isRunner, type Runner } from '../../../src/contracts/runner.ts'
import { compose } from '../../../src/policies/compose/compose.ts'
import { fallback } from '../../../src/policies/fallback/fallback.ts'
import { retry } from '../../../src/policies/retry/retry.ts'
import { timeout } from '../../../src/policies/timeout/timeout.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countedSignal, expectIdle, failsTimes, follow, Task } from '../guard/fixture.ts'

function noting(name: string, log: string[]): Runner {
  return asRunner(
    (async (task: (signal: AbortSignal) => unknown, options?: { signal?: AbortSignal }) => {
      log.push(`${name} begins`)
      try {
        return await task(options?.signal ?? new AbortController().signal)
      } finally {
        log.push(`${name} ends`)
      }
    }) as Runner,
    {},
  )
}

describe('Runners in a row', () => {
  it('are around one another, the first outermost', async () => {
    const log: string[] = []
    const run = compose(noting('a', log), noting('b', log))
    expect(await run(async () => log.push('task'))).toBe(3)
    expect(log).toEqual(['a begins', 'b begins', 'task', 'b ends', 'a ends'])
    expect(isRunner(run)).toBe(true)
  })

  it('in another order do something else', async () => {
    const clock = new FakeClock()
    const again = retry({ clock, attempts: 2, backoff: { initial: 0, max: 0 } })
    const within = timeout({ after: '100ms', clock })
    const each = new Task()
    const inEach = follow(compose(again, within)(each.run))
    await clock.advance(200)
    expect([each.calls.length, inEach.error]).toMatchObject([2, { code: 'ERR_TIMEOUT' }])
    const all = new Task()
    const inAll = follow(compose(within, again)(all.run))
    await clock.advance(200)
    expect([all.calls.length, inAll.error]).toMatchObject([1, { code: 'ERR_TIMEOUT' }])
    expect(all.last.signal.aborted).toBe(true)
    expectIdle(clock)
  })

  it('hand the options of a call to each', async () => {
    const seen: unknown[] = []
    const spy = asRunner(
      (async (task: (signal: AbortSignal) => unknown, options?: object) => {
        seen.push(options)
        return task(new AbortController().signal)
      }) as Runner,
      {},
    )
    await compose(spy, spy)(() => 1, { priority: 5, tenant: 'x' })
    expect(seen).toMatchObject([
      { priority: 5, tenant: 'x' },
      { priority: 5, tenant: 'x' },
    ])
  })
})

describe('a limiter of another library', () => {
  it('may be among them', async () => {
    const clock = new FakeClock()
    const run = compose(retry({ clock }), pLimit(1), timeout({ after: '1s', clock }))
    const task = new Task()
    const calls = [follow(run(task.run)), follow(run(task.run))]
    await clock.advance(0)
    expect(task.calls).toHaveLength(1)
    task.last.resolve(1)
    await clock.advance(0)
    task.last.resolve(2)
    await clock.advance(0)
    expect(calls.map(({ value }) => value)).toEqual([1, 2])
    expectIdle(clock)
  })

  it('begins nothing that was aborted while it queued there', async () => {
    const clock = new FakeClock()
    const run = compose(timeout({ after: '100ms', clock }), pLimit(1))
    const task = new Task()
    const calls = [follow(run(task.run)), follow(run(task.run))]
    await clock.advance(100)
    expect(calls.map(({ error }) => error)).toMatchObject([
      { code: 'ERR_TIMEOUT' },
      { code: 'ERR_TIMEOUT' },
    ])
    task.last.resolve('late')
    await clock.advance(100)
    expect(task.calls).toHaveLength(1)
  })
})

describe('the queue of a limiter of another library', () => {
  it('is left as soon as the signal of a call is aborted, with no listener at it', async () => {
    const run = compose(pLimit(1))
    const task = new Task()
    const first = countedSignal()
    const busy = follow(run(task.run, { signal: first.signal }))
    const { controller, signal, count } = countedSignal()
    const call = follow(run(task.run, { signal }))
    await new FakeClock().advance(0)
    controller.abort(new Error('gone'))
    await new FakeClock().advance(0)
    expect(call.error).toMatchObject({ code: 'ERR_ABORTED', cause: new Error('gone') })
    task.last.resolve('done')
    await new FakeClock().advance(0)
    expect([busy.value, task.calls.length]).toEqual(['done', 1])
    expect(first.count()).toBeLessThanOrEqual(0)
    expect(count()).toBeLessThanOrEqual(0)
    const late = follow(run(task.run, { signal }))
    await new FakeClock().advance(0)
    expect(late.error).toMatchObject({ code: 'ERR_ABORTED' })
  })
})

describe('wrap', () => {
  it('keeps arguments and this', async () => {
    const shop = {
      price: 3,
      total: compose(retry()).wrap(async function (this: { price: number }, count: number) {
        return this.price * count
      }),
    }
    expect(await shop.total(2)).toBe(6)
  })
})

describe('an outermost fallback', () => {
  it('can be taken apart from the rest, for a cache', async () => {
    const run = compose(fallback(7), retry({ attempts: 1 }))
    const task = failsTimes(9).run
    expect(await run(task)).toBe(7)
    const parts = loadGuardOf(run)
    await expect((parts.runner as Runner)(task)).rejects.toThrow('down')
    expect(parts.fallback?.(new Error('x'), { args: [] })).toBe(7)
  })
})

describe('misuse', () => {
  it('names what is no Runner', () => {
    expect(() => (compose as () => unknown)()).toThrow('compose() takes Runners and limiters')
    expect(() => compose(retry(), { max: 5 } as never)).toThrow('got an object')
  })
})
