import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { background } from '../../src/concurrency/background.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      takes: fc.integer({ min: 0, max: 8 }),
      fails: fc.boolean(),
      delay: fc.constantFrom(0, 0, 3),
      key: fc.constantFrom(undefined, 'a', 'b'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.integer({ min: 0, max: 9 }),
    }),
  },
)

describe('background, whatever is done with it', () => {
  it('keeps its bounds, settles each handle once, and its figures add up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom('reject' as const, 'drop-oldest' as const),
        fc.array(step, { maxLength: 40 }),
        async (concurrency, max, overflow, steps) => {
          const clock = new FakeClock()
          const jobs = background({ concurrency, queue: { max, overflow }, clock, onError() {} })
          let running = 0
          let settled = 0
          const handles: { cancel(): boolean }[] = []
          for (const one of steps) {
            if (one.kind === 'run') {
              const { takes, fails, delay, key } = one
              const task = async () => {
                running++
                expect(running).toBeLessThanOrEqual(concurrency)
                await new Promise<void>((resolve) => clock.setTimeout(resolve, takes))
                running--
                if (fails) throw new Error('task')
              }
              const options = { delay, ...(key !== undefined && { key, dedupe: true }) }
              const handle = jobs.run(task, options)
              handle.done.then(
                () => settled++,
                () => settled++,
              )
              handles.push(handle)
            } else if (one.kind === 'cancel') {
              handles[one.which]?.cancel()
            } else {
              await clock.advance(one.ms)
            }
            const { waiting, running: now } = jobs.stats()
            expect(now).toBeLessThanOrEqual(concurrency)
            expect(waiting + now).toBeLessThanOrEqual(concurrency + max)
          }
          const drained = jobs.drain()
          await clock.advance('1m')
          expect((await drained).aborted).toBe(0)
          const stats = jobs.stats()
          const { completed, failed, dropped, cancelled, joined } = stats
          expect(settled).toBe(handles.length)
          expect(completed + failed + dropped + cancelled + joined).toBe(handles.length)
          expect([running, jobs.depth, jobs.oldestAgeMs, clock.pending]).toEqual([0, 0, 0, 0])
        },
      ),
      { numRuns: 60 },
    )
  })
})
