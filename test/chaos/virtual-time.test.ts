import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { seededRandom } from '../../src/kernel/seeded-random.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { watchedStore } from './watched-store.ts'
import { allFaults, workload } from './workload.ts'

const OPERATIONS = 2000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const rejections: unknown[] = []
const note = (error: unknown): void => void rejections.push(error)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

describe.each([0.05, 0.1, 0.2, 0.3])('an L2 with every fault at a rate of %d', (rate) => {
  it.each([1, 2, 3])(
    'fails no read, gives no wrong value and delays none past one deadline: seed %d',
    async (seed) => {
      const clock = new FakeClock(1_000_000)
      const leases = watchedStore(memory(), clock)
      const chaos = chaosStore(leases, { seed, ...allFaults(rate) })
      const work = workload({ store: chaos, seed, clock, leases })
      const random = seededRandom(seed + 1000)
      const running: Promise<void>[] = []
      for (let i = 0; i < OPERATIONS; i++) {
        running.push(work.step())
        if (random() < 0.4) await clock.advance(Math.floor(random() * 100))
      }
      await clock.advance('10s')
      await Promise.all(running)
      expect(work.escaped).toEqual([])
      expect(work.wrong).toEqual([])
      expect(work.slow).toEqual([])
      expect(rejections).toEqual([])
      expect(chaos.counts.throws * chaos.counts.hangs * chaos.counts.late).toBeGreaterThan(0)

      chaos.set(allFaults(0))
      await clock.advance('10s')
      expect(work.cache.health().status).toBe('ok')
      await Promise.all([work.cache.close(), clock.advance('10s')])
      expect(clock.pending).toBe(0)
    },
  )
})

describe('an L2 that comes and goes', () => {
  it('leaves nothing behind: the heap stays flat over many outages', async () => {
    const clock = new FakeClock(1_000_000)
    const chaos = chaosStore(memory())
    const work = workload({ store: chaos, seed: 9, clock })
    const round = async (): Promise<void> => {
      for (const faults of [allFaults(0), { throws: 1 }, allFaults(0), { hangs: 1 }]) {
        chaos.set(allFaults(0))
        chaos.set(faults)
        const running = Array.from({ length: 250 }, () => work.step())
        await clock.advance('3s')
        await Promise.all(running)
      }
    }
    await round()
    await round()
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 5; i++) await round()
    collectGarbage()
    const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20
    expect(work.escaped).toEqual([])
    expect(work.wrong).toEqual([])
    expect(grown).toBeLessThan(5)
    chaos.set(allFaults(0))
    await Promise.all([work.cache.close(), clock.advance('10s')])
    expect(clock.pending).toBe(0)
  })
})
