import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { parallel } from '../../../src/concurrency/parallel/parallel.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { endsAfter, watch } from './steps.ts'

/** Counts what is read of it, and whether it was closed. */
function counted(length: number) {
  const seen = { read: 0, closed: false }
  function* items() {
    try {
      while (seen.read < length) yield seen.read++
    } finally {
      seen.closed = true
    }
  }
  async function* asyncItems() {
    yield* items()
  }
  return { seen, items: items(), asyncItems: asyncItems() }
}

describe('parallel.map', () => {
  it('gives the results in the order of the items', async () => {
    const clock = new FakeClock()
    const call = watch(
      parallel.map([30, 10, 20], (ms, index, signal) =>
        endsAfter(clock, ms, `${index}:${ms}`)(signal),
      ),
    )
    await clock.advance(30)
    expect(call.value).toEqual(['0:30', '1:10', '2:20'])
  })

  it('takes every iterable: sets, maps, generators, streams of values, nothing', async () => {
    const double = (n: number) => n * 2
    expect(await parallel.map(new Set([1, 2]), double)).toEqual([2, 4])
    expect(await parallel.map(new Map([['a', 1]]), ([key, n]) => key + n)).toEqual(['a1'])
    expect(await parallel.map(counted(3).items, double)).toEqual([0, 2, 4])
    expect(await parallel.map(counted(3).asyncItems, double)).toEqual([0, 2, 4])
    expect(await parallel.map(counted(0).asyncItems, double)).toEqual([])
    expect(await parallel.map([], double)).toEqual([])
  })

  it('runs no more at a time than its concurrency, the next as soon as one has ended', async () => {
    const clock = new FakeClock()
    const startedAt: number[] = []
    const call = watch(
      parallel.map(
        [30, 10, 10, 10],
        (ms) => {
          startedAt.push(clock.now())
          return endsAfter(clock, ms, ms)()
        },
        { clock, concurrency: 2 },
      ),
    )
    await clock.advance(30)
    expect(startedAt).toEqual([0, 0, 10, 20])
    expect(call.done).toBe(true)
  })

  for (const kind of ['items', 'asyncItems'] as const) {
    it(`reads ${kind} no faster than they are worked off`, async () => {
      const clock = new FakeClock()
      const source = counted(10)
      let ended = 0
      const work = async (n: number) => {
        expect(source.seen.read - ended).toBeLessThanOrEqual(3)
        await endsAfter(clock, 10, n)()
        ended++
      }
      const call = watch(parallel.map(source[kind], work, { clock, concurrency: 3 }))
      await clock.advance(5)
      expect(source.seen.read).toBe(3)
      await clock.advance('1s')
      expect(call.done).toBe(true)
      expect(source.seen.read).toBe(10)
    })

    it(`closes ${kind} when one fails, and starts nothing more`, async () => {
      const source = counted(1000)
      const started = vi.fn()
      const work = async (n: number) => {
        started(n)
        await null
        if (n === 4) throw new Error('four')
      }
      await expect(parallel.map(source[kind], work, { concurrency: 2 })).rejects.toThrow('four')
      await vi.waitFor(() => expect(source.seen.closed).toBe(true))
      const { read } = source.seen
      expect(read).toBeLessThanOrEqual(7)
      await new Promise(setImmediate)
      expect(source.seen.read).toBe(read)
    })

    it(`closes ${kind} when its signal is aborted or its time is over`, async () => {
      const clock = new FakeClock()
      const controller = new AbortController()
      const never = () => new Promise<void>(() => {})
      const aborted = counted(10)
      const late = counted(10)
      const first = watch(
        parallel.map(aborted[kind], never, { signal: controller.signal, concurrency: 1 }),
      )
      const second = watch(
        parallel.map(late[kind], never, { clock, timeout: '1s', concurrency: 1 }),
      )
      await clock.advance(1)
      controller.abort()
      await clock.advance('1s')
      expect(first.error).toMatchObject({ code: 'ERR_ABORTED' })
      expect(second.error).toMatchObject({ code: 'ERR_TIMEOUT' })
      expect([aborted.seen, late.seen]).toEqual([
        { read: 1, closed: true },
        { read: 1, closed: true },
      ])
    })
  }

  it('reads 16 items of an async iterable at a time where nothing else is said', async () => {
    const clock = new FakeClock()
    const source = counted(100)
    const call = watch(parallel.map(source.asyncItems, (n) => endsAfter(clock, 10, n)()))
    await clock.advance(5)
    expect(source.seen.read).toBe(16)
    await clock.advance('1s')
    expect(call.value).toHaveLength(100)
  })

  it('fails with what the iterable fails with', async () => {
    async function* broken() {
      yield 1
      throw new Error('cursor lost')
    }
    function* brokenLater() {
      yield 1
      throw new Error('no cursor')
    }
    await expect(parallel.map(broken(), (n) => n)).rejects.toThrow('cursor lost')
    await expect(parallel.map(brokenLater(), (n) => n)).rejects.toThrow('no cursor')
  })

  it('keeps its error when closing the iterable fails as well', async () => {
    const first = new Error('first')
    const items = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return: () => {
          throw new Error('cannot close')
        },
      }),
    }
    const fails = async () => {
      throw first
    }
    await expect(parallel.map(items, fails, { concurrency: 1 })).rejects.toBe(first)
    expect((first as { suppressed?: unknown[] }).suppressed).toMatchObject([
      { message: 'cannot close' },
    ])
  })

  it('limits the time of each item from its own start', async () => {
    const clock = new FakeClock()
    const call = watch(
      parallel.map([90, 90, 90], (ms) => endsAfter(clock, ms, ms)(), {
        clock,
        concurrency: 1,
        taskTimeout: 100,
      }),
    )
    await clock.advance(270)
    expect(call.value).toEqual([90, 90, 90])
    expect(clock.pending).toBe(0)
  })

  it('tells of its progress: against the length where there is one, else what was read', async () => {
    const totals = async (items: Iterable<number>) => {
      const seen: number[] = []
      await parallel.map(items, async (n) => n, {
        concurrency: 1,
        onProgress: ({ total }) => seen.push(total),
      })
      return seen
    }
    expect(await totals([1, 2, 3])).toEqual([3, 3, 3])
    expect(await totals(counted(3).items)).toEqual([1, 2, 3])
  })

  it('runs 200,000 items that answer at once', async () => {
    const items = { length: 200_000 }
    const results = await parallel.map(
      Array.from(items, (_, i) => i),
      (n) => n + 1,
      {
        concurrency: 10,
      },
    )
    expect(results.length).toBe(200_000)
    expect(results[199_999]).toBe(200_000)
  })

  it('is as a plain map, whatever the items, their times and the concurrency', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ value: fc.anything(), turns: fc.nat(5) }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        async (items, concurrency, isAsync) => {
          let running = 0
          const work = async ({ value, turns }: { value: unknown; turns: number }) => {
            expect(++running).toBeLessThanOrEqual(concurrency)
            for (let turn = 0; turn < turns; turn++) await null
            running--
            return value
          }
          async function* stream() {
            yield* items
          }
          const results = await parallel.map(isAsync ? stream() : items, work, { concurrency })
          expect(results).toEqual(items.map(({ value }) => value))
        },
      ),
    )
  })

  it('rejects once with the error of the first that fails, whoever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ turns: fc.nat(5), fails: fc.boolean() }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        async (items, concurrency) => {
          let first: Error | undefined
          let startedAfterwards = 0
          const work = async ({ turns, fails }: { turns: number; fails: boolean }) => {
            if (first) startedAfterwards++
            for (let turn = 0; turn < turns; turn++) await null
            if (!fails) return
            const error = new Error('fails')
            first ??= error
            throw error
          }
          const outcome = await parallel.map(items, work, { concurrency, await: 'settled' }).then(
            () => undefined,
            (error: unknown) => error,
          )
          expect(outcome).toBe(first)
          // What was due in the same turn may have begun before the failure was heard of.
          expect(startedAfterwards).toBeLessThanOrEqual(concurrency)
        },
      ),
      // Both fail in one turn: a limit told of the later one first.
      { examples: [[[0, 0, 1, 0].map((turns, i) => ({ turns, fails: i > 1 })), 2]] },
    )
  })
})
