import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Permit } from '../../../src/contracts/permit.ts'
import { semaphore } from '../../../src/policies/bulkhead/bulkhead.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const MAX = 3

const step = fc.oneof(
  fc.record({
    do: fc.constant('acquire' as const),
    weight: fc.integer({ min: 1, max: MAX }),
    priority: fc.integer({ min: 0, max: 2 }),
    waitMs: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ do: fc.constant('try' as const), weight: fc.integer({ min: 1, max: MAX }) }),
  fc.record({ do: fc.constant('release' as const), which: fc.nat() }),
  fc.record({ do: fc.constant('abort' as const), which: fc.nat() }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.nat(15) }),
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

it('never lets more in than its places, strands nobody and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new FakeClock()
      const sem = semaphore({ max: MAX, clock })
      const held: { permit: Permit; weight: number }[] = []
      const controllers: AbortController[] = []
      let settled = 0
      let asked = 0
      let most = 0
      const hold = (permit: Permit, weight: number) => {
        held.push({ permit, weight })
        most = Math.max(
          most,
          held.reduce((sum, one) => sum + one.weight, 0),
        )
      }
      const acquire = ({ weight, priority, waitMs }: Extract<Step, { do: 'acquire' }>) => {
        const controller = new AbortController()
        controllers.push(controller)
        asked++
        const deadline = clock.now() + waitMs
        sem.acquire(weight, { signal: controller.signal, priority, deadline }).then(
          (permit) => {
            settled++
            hold(permit, weight)
          },
          () => settled++,
        )
      }
      const tryAcquire = (weight: number) => {
        const permit = sem.tryAcquire(weight)
        if (permit.ok) hold(permit, weight)
      }
      const release = (which: number) => {
        const [released] = held.splice(which % Math.max(1, held.length), 1)
        released?.permit.release()
        released?.permit.release()
      }
      const doStep = async (one: Step) => {
        if (one.do === 'acquire') acquire(one)
        else if (one.do === 'try') tryAcquire(one.weight)
        else if (one.do === 'release') release(one.which)
        else if (one.do === 'abort') controllers[one.which % controllers.length]?.abort()
        else await clock.advance(one.ms)
      }
      for (const one of steps) {
        await doStep(one)
        for (let turn = 0; turn < 5; turn++) await null
        const inUse = held.reduce((sum, { weight }) => sum + weight, 0)
        expect(sem.stats().running).toBe(inUse)
        // With nothing held, nobody can be waiting.
        if (inUse === 0) expect(sem.stats().waiting).toBe(0)
      }
      await clock.advance(20)
      while (held.length > 0) {
        held.pop()?.permit.release()
        for (let turn = 0; turn < 5; turn++) await null
      }
      expect(most).toBeLessThanOrEqual(MAX)
      expect(settled).toBe(asked)
      expect(sem.stats()).toMatchObject({ running: 0, waiting: 0 })
      expect(clock.pending).toBe(0)
    }),
    { numRuns: 100 },
  )
})
