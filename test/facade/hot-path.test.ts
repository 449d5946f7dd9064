import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

/** A clock whose coarse reading stands still between wake-ups, as the real one does within a task. */
class FrozenCoarseClock extends FakeClock {
  override readonly coarse = { now: Number.POSITIVE_INFINITY }

  override wake(): void {
    this.coarse.now = this.now()
  }
}

describe('a loop of hits that lets no timer fire', () => {
  it('sees the end of the ttl within a thousand hits or so', async () => {
    const clock = new FrozenCoarseClock()
    const cache = createCache({ clock, ttl: '10s', jitter: 0, refreshAhead: false })
    let calls = 0
    const get = cache.cached(async (_: string) => ++calls)
    await get('k')
    await get('k')
    const before = clock.coarse.now
    await clock.advance('11s')
    // The ticks of a real clock would not have come within the task.
    clock.coarse.now = before
    for (let i = 0; i < 1100 && calls === 1; i++) await get('k')
    expect(calls).toBe(2)
    await cache.close()
  })
})
