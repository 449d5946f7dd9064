import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { guard } from '../../../src/policies/guard/guard.ts'
import type { GuardOptions } from '../../../src/policies/guard/guard-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countedSignal, expectIdle, follow } from './fixture.ts'
import { FakeBreaker, FakeSource } from './gates.ts'

/** What a task does, whatever it is told. */
const behaviour = fc.record({
  takes: fc.integer({ min: 0, max: 400 }),
  ends: fc.constantFrom('value', 'error', 'never', 'at once', 'thrown'),
})

const world = fc.record({
  seed: fc.nat(),
  attempts: fc.integer({ min: 1, max: 4 }),
  hedgeAfter: fc.option(fc.integer({ min: 1, max: 99 })),
  timeout: fc.option(fc.integer({ min: 100, max: 300 })),
  deadline: fc.option(fc.integer({ min: 300, max: 1000 })),
  cooperative: fc.boolean(),
  slots: fc.integer({ min: 0, max: 3 }),
  tasks: fc.array(behaviour, { minLength: 1, maxLength: 8 }),
  abortAt: fc.option(fc.integer({ min: 0, max: 500 })),
  openAt: fc.option(fc.integer({ min: 0, max: 500 })),
})

type World = typeof world extends fc.Arbitrary<infer W> ? W : never

function stagesOf({ seed, attempts, deadline, hedgeAfter, timeout, cooperative }: World) {
  const options: GuardOptions = {
    random: seededRandom(seed),
    // Where nothing else would ever end a hanging task, the deadline does.
    deadline: deadline ?? 5000,
    retry: { attempts, budget: false },
    idempotent: true,
  }
  if (hedgeAfter !== null) options.hedge = { after: hedgeAfter, budget: false }
  if (timeout !== null) options.timeout = { after: timeout, mode: modeOf(cooperative) }
  return options
}

function modeOf(isCooperative: boolean): 'cooperative' | 'hard' {
  return isCooperative ? 'cooperative' : 'hard'
}

describe('whatever tasks, callers and clocks do', () => {
  it('every call ends once, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const clock = new FakeClock(1_000_000)
        const breaker = new FakeBreaker()
        const bulkhead = new FakeSource(given.slots)
        const admitted = counting(breaker)
        const run = guard({ ...stagesOf(given), clock, breaker, bulkhead })
        const caller = countedSignal()
        let begun = 0
        const calls = given.tasks.map((task) =>
          follow(
            run(
              () => {
                begun++
                return perform(task, clock)
              },
              { signal: caller.signal },
            ),
          ),
        )
        if (given.abortAt !== null) {
          clock.setTimeout(() => caller.controller.abort(), given.abortAt)
        }
        if (given.openAt !== null) clock.setTimeout(() => breaker.openFor(100), given.openAt)
        await clock.advance('20s')
        expect(calls.filter(({ isPending }) => isPending)).toEqual([])
        expect(bulkhead.held).toBe(0)
        expect(breaker.log).toHaveLength(admitted.count)
        expect(begun).toBeLessThanOrEqual(given.tasks.length * given.attempts * 2)
        expectIdle(clock, caller)
        const { calls: all, inFlight, succeeded, failed, aborted } = run.stats()
        expect(all).toBe(given.tasks.length)
        expect([inFlight, succeeded + failed + aborted]).toEqual([0, all])
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})

function perform({ takes, ends }: { takes: number; ends: string }, clock: FakeClock): unknown {
  if (ends === 'thrown') throw new Error('thrown')
  if (ends === 'at once') return 'at once'
  return new Promise((resolve, reject) => {
    if (ends === 'value') clock.setTimeout(() => resolve('value'), takes)
    if (ends === 'error') clock.setTimeout(() => reject(new Error('error')), takes)
  })
}

function counting(breaker: FakeBreaker): { count: number } {
  const counted = { count: 0 }
  const { admit } = breaker
  breaker.admit = () => {
    const leave = admit.call(breaker)
    if ('ended' in leave) counted.count++
    return leave
  }
  return counted
}
