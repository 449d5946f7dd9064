import { AsyncLocalStorage } from 'node:async_hooks'
import pLimit, { type LimitFunction } from 'p-limit'
import { describe, expect, it, vi } from 'vitest'
import { parallel } from '../../../src/concurrency/parallel/parallel.ts'
import { asRunner, type ForeignLimiter, type Runner } from '../../../src/contracts/runner.ts'
import { type Semaphore, semaphore } from '../../../src/policies/bulkhead/bulkhead.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { endsAfter, watch } from './steps.ts'

/** How many run at a time. */
function meter(clock: FakeClock) {
  const seen = { running: 0, most: 0, started: 0 }
  const work = async () => {
    seen.started++
    seen.most = Math.max(seen.most, ++seen.running)
    await endsAfter(clock, 10, 0)()
    seen.running--
  }
  return { seen, work }
}

const eight = Array.from({ length: 8 }, (_, i) => i)

describe('concurrency', () => {
  for (const concurrency of [1, 3, 8, 100]) {
    it(`${concurrency} holds for tasks as for items`, async () => {
      const clock = new FakeClock()
      const one = meter(clock)
      const two = meter(clock)
      const map = watch(parallel.map(eight, one.work, { concurrency }))
      const tasks = watch(
        parallel(
          eight.map(() => two.work),
          { concurrency },
        ),
      )
      for (let step = 0; step < 10; step++) await clock.advance(10)
      expect([map.done, tasks.done]).toEqual([true, true])
      expect([one.seen.most, two.seen.most]).toEqual([
        Math.min(concurrency, 8),
        Math.min(concurrency, 8),
      ])
    })
  }
})

describe('a limit', () => {
  it('of p-limit is shared by several calls', async () => {
    const clock = new FakeClock()
    const { seen, work } = meter(clock)
    const limit = pLimit(2)
    const calls = [parallel.map(eight, work, { limit }), parallel([work, work, work], { limit })]
    const all = watch(Promise.all(calls))
    for (let step = 0; step < 10; step++) await clock.advance(10)
    expect(all.done).toBe(true)
    expect(seen).toEqual({ running: 0, most: 2, started: 11 })
  })

  it('holds one waiting task of a call, not all of them', async () => {
    const clock = new FakeClock()
    const limit = pLimit(2)
    const call = watch(parallel.map(eight, meter(clock).work, { limit }))
    await clock.advance(5)
    expect([limit.activeCount, limit.pendingCount]).toEqual([2, 1])
    await clock.advance(100)
    expect(call.done).toBe(true)
  })

  for (const [name, limit] of [
    ['p-limit', pLimit(1)],
    ['semaphore', semaphore(1)],
  ] as const) {
    it(`of ${name} starts nothing that waits when a task has failed`, async () => {
      await startsNothing(limit)
      const { running, waiting } = occupied(limit)
      expect([running, waiting]).toEqual([0, 0])
    })
  }

  const occupied = (limit: LimitFunction | Semaphore) =>
    'stats' in limit ? limit.stats() : { running: limit.activeCount, waiting: limit.pendingCount }

  async function startsNothing(limit: Runner | ForeignLimiter) {
    const started = vi.fn()
    const fails = async () => {
      await new Promise(setImmediate)
      throw new Error('no')
    }
    await expect(parallel([fails, started, started], { limit })).rejects.toThrow('no')
    await new Promise(setImmediate)
    expect(started).not.toHaveBeenCalled()
  }

  it('asks a query that begins with `then` once', async () => {
    const query = () => {
      const runs = { count: 0 }
      return {
        // biome-ignore lint/suspicious/noThenProperty: as the query builders do
        then: (resolve: (value: number) => void) => resolve(++runs.count),
      }
    }
    for (const options of [{}, { limit: pLimit(2) }, { limit: semaphore(2) }, { concurrency: 1 }]) {
      expect(await parallel([query, query, query()] as never[], options)).toEqual([1, 1, 1])
    }
  })

  it('may stand beside a concurrency: both hold', async () => {
    const clock = new FakeClock()
    const shared = pLimit(3)
    const { seen, work } = meter(clock)
    const other = meter(clock)
    const call = watch(parallel.map(eight, work, { limit: shared, concurrency: 2 }))
    const rest = watch(parallel.map(eight, other.work, { limit: shared }))
    for (let step = 0; step < 12; step++) {
      expect(seen.running + other.seen.running).toBeLessThanOrEqual(3)
      await clock.advance(10)
    }
    expect([call.done, rest.done]).toEqual([true, true])
    expect(seen.most).toBeLessThanOrEqual(2)
  })

  it('that is a Runner is given the signal, and its tasks that of the Runner', async () => {
    const given: unknown[] = []
    const own = new AbortController()
    const runner: Runner = asRunner(async (task, options) => {
      given.push(options?.signal)
      return task(own.signal)
    }, {})
    const seen: unknown[] = []
    const task = (signal: AbortSignal) => void seen.push(signal)
    await parallel([task], { limit: runner })
    expect(given[0]).toBeInstanceOf(AbortSignal)
    expect(seen).toEqual([own.signal])
  })

  it('that turns a task away fails it, and its fallback counts', async () => {
    const full = asRunner(async () => {
      throw new Error('full')
    }, {})
    const started = vi.fn()
    expect(
      await parallel([{ run: started, fallback: 'none' }, Promise.resolve('under way')], {
        limit: full,
      }),
    ).toEqual(['none', 'under way'])
    await expect(parallel.map([1, 2], started, { limit: full })).rejects.toThrow('full')
    expect(started).not.toHaveBeenCalled()
  })

  it('may call a task again', async () => {
    const twice: Runner = asRunner(async (task, options) => {
      const signal = options?.signal as AbortSignal
      try {
        return await task(signal)
      } catch {
        return task(signal)
      }
    }, {})
    const flaky = () => {
      let calls = 0
      return async () => {
        if (++calls === 1) throw new Error('again')
        return calls
      }
    }
    expect(await parallel([flaky(), flaky()], { limit: twice })).toEqual([2, 2])
  })

  it('keeps the async context of the call', async () => {
    const storage = new AsyncLocalStorage<string>()
    const contexts = await storage.run('mine', () =>
      parallel.map(
        eight,
        async () => {
          const seen = storage.getStore()
          storage.enterWith('changed by a task')
          await null
          return seen
        },
        { limit: pLimit(1) },
      ),
    )
    expect(new Set(contexts)).toEqual(new Set(['mine']))
  })
})
