import { describe, expect, it, vi } from 'vitest'
import { type CacheOptions, createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

function setUp(options: CacheOptions = {}) {
  const clock = new FakeClock()
  const cache = createCache({
    name: 'app',
    clock,
    random: () => 0.5,
    jitter: 0,
    refreshAhead: false,
    ttl: '1m',
    ...options,
  })
  return { clock, cache }
}

describe('a function that was disposed of', () => {
  it('stays in the counters of its cache and namespaces, not in entries', async () => {
    const { cache } = setUp()
    const outer = cache.namespace('outer')
    const inner = outer.namespace('inner')
    for (let i = 0; i < 3; i++) {
      const fn = inner.cached(async (id: number) => id, { name: 'f' })
      await fn(1)
      await fn(1)
      fn.dispose()
    }
    const counted = { misses: 3, hits: { l1: 3, l2: 0, l3: 0 }, originCalls: 3, entries: 0 }
    for (const each of [cache, outer, inner]) expect(each.stats()).toMatchObject(counted)
    expect(cache.namespace('other').stats().misses).toBe(0)
  })

  it('counts the loads that were under way when they end, once', async () => {
    const { cache } = setUp()
    const answer = Promise.withResolvers<number>()
    const fn = cache.cached(() => answer.promise, { name: 'f' })
    const calls = [fn(), fn()]
    fn.dispose()
    expect(cache.stats()).toMatchObject({ misses: 0, coalesced: 1 })
    answer.resolve(1)
    expect(await Promise.all(calls)).toEqual([1, 1])
    expect(cache.stats()).toMatchObject({ misses: 2, coalesced: 1, originCalls: 1, entries: 0 })
    expect(cache.stats()).toMatchObject({ misses: 2, coalesced: 1, originCalls: 1, entries: 0 })
  })

  it('has its loads ended by close', async () => {
    const { cache, clock } = setUp({ hardTimeout: '1h' })
    let signal: AbortSignal | undefined
    const fn = cache.cached(
      (context) => {
        signal = context.signal
        return new Promise<number>(() => {})
      },
      { name: 'f', context: true },
    )
    const call = expect(fn()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await clock.advance(0)
    fn.dispose()
    const closing = cache.close({ deadline: '2s' })
    await clock.advance('2s')
    await Promise.all([call, closing])
    expect(signal?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('puts nothing into L1 any more, not what it was reading from L2', async () => {
    const { cache, clock } = setUp({ l2: memory(), l1: { ttl: '5s' }, refreshAhead: 0.05 })
    const origin = vi.fn(() => (origin.mock.calls.length === 1 ? 1 : new Promise<never>(() => {})))
    const fn = cache.cached(async (_: number) => origin(), { name: 'f' })
    const first = fn(1)
    await clock.advance('4s')
    await first
    // Starts a refresh that hangs.
    await fn(1)
    await clock.advance('2s')
    expect(origin).toHaveBeenCalledTimes(2)
    // Compares the copy with L2.
    const call = fn(1)
    fn.dispose()
    await clock.advance(10)
    expect(await call).toBe(1)
    expect(cache.health().l1).toMatchObject({ entries: 0, bytes: 0 })
    expect(cache.stats().hits, 'L2 has confirmed the copy').toEqual({ l1: 2, l2: 0, l3: 0 })
  })
})
