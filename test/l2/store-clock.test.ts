import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/kernel/seeded-random.ts'
import { StoreClock } from '../../src/l2/store-clock.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const START = 1_000_000

/** A server whose clock is ahead, and replies that take as long as the test says. */
function setUp(aheadMs: number) {
  const clock = new FakeClock(START)
  const time = new StoreClock(clock)
  const server = { aheadMs }
  const exchange = async (thereMs: number, backMs: number): Promise<void> => {
    const sentAt = clock.now()
    await clock.advance(thereMs)
    const told = clock.now() + server.aheadMs
    await clock.advance(backMs)
    time.note(told, sentAt)
  }
  const error = () => Math.abs(time.now() - clock.now() - server.aheadMs)
  return { clock, time, server, exchange, error }
}

describe('the store’s time', () => {
  it('is this process’s own until something was heard', () => {
    expect(setUp(5000).time.now()).toBe(START)
  })

  it('is off by half a round trip at most', async () => {
    for (const [there, back] of [
      [0, 40],
      [40, 0],
      [20, 20],
    ] as const) {
      const { exchange, error } = setUp(600_000)
      await exchange(there, back)
      expect(error()).toBeLessThanOrEqual(20)
    }
  })

  it('is not shifted by a reply that was kept waiting', async () => {
    const { exchange, error } = setUp(-600_000)
    await exchange(0, 1)
    await exchange(0, 1000)
    await exchange(1000, 0)
    expect(error()).toBeLessThanOrEqual(1)
  })

  it('goes by the best reply of the last 30 s, whatever comes in which order', async () => {
    const seed = Math.floor(Math.random() * 1e9)
    const random = seededRandom(seed)
    const { clock, exchange, error } = setUp(1234)
    const trips: Array<{ at: number; ms: number }> = []
    for (let i = 0; i < 200; i++) {
      const ms = Math.floor(random() ** 3 * 200)
      const there = Math.floor(random() * (ms + 1))
      await exchange(there, ms - there)
      trips.push({ at: clock.now(), ms })
      // What is believed is never older than that, and never worse than the best of the younger half.
      const young = trips.filter(({ at }) => at > clock.now() - 15_000)
      const bound = Math.min(...young.map((trip) => trip.ms)) / 2 + 1
      expect(error(), `seed ${seed}, step ${i}`).toBeLessThanOrEqual(bound)
      await clock.advance(Math.floor(random() * 2000))
    }
  })

  it('follows the server when its clock is set, or another server takes over', async () => {
    const { server, exchange, error } = setUp(0)
    await exchange(1, 1)
    for (const aheadMs of [600_000, -600_000, 50]) {
      server.aheadMs = aheadMs
      await exchange(3, 2)
      expect(error()).toBeLessThanOrEqual(3)
    }
  })
})
