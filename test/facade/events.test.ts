import { afterEach, describe, expect, it, vi } from 'vitest'
import { type CacheEvents, type CacheOptions, createCache, memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

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
  const seen: unknown[] = []
  const listen = <N extends keyof CacheEvents>(name: N) =>
    cache.on(name, (event) => seen.push(event))
  return { clock, cache, seen, listen }
}

describe('events', () => {
  it('hit: of L1 and of L2, with function and key', async () => {
    const l2 = memory()
    const { cache, seen, listen } = setUp({ l2 })
    listen('hit')
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    await fn(1)
    expect(seen).toEqual([])
    await fn(1)
    const at = { cache: 'app', function: 'f', key: 'app:f::~1' }
    expect(seen).toEqual([{ ...at, level: 'l1' }])
    const other = setUp({ l2 })
    other.listen('hit')
    await other.cache.cached(async (id: number) => id, { name: 'f' })(1)
    expect(other.seen).toEqual([{ ...at, level: 'l2' }])
  })

  it('hit: every one is seen, and counted once, also those of the fast path', async () => {
    const { cache, seen, listen } = setUp()
    const fn = cache.cached(async (id: string) => id, { name: 'f' })
    const other = cache.cached(async (id: string) => id, { name: 'g' })
    await fn('a')
    await fn('a')
    const off = listen('hit')
    const unused = listen('miss')
    await fn('a')
    await other('a')
    await other('a')
    expect(seen.filter((event) => 'level' in (event as object))).toHaveLength(2)
    off()
    unused()
    await fn('a')
    expect(seen.filter((event) => 'level' in (event as object))).toHaveLength(2)
    expect(fn.stats().hits.l1).toBe(3)
  })

  it('hit: listening switches the fast path off, the last to stop switches it on again', async () => {
    const { cache, clock, listen } = setUp()
    const fn = cache.cached(async (id: string) => id, { name: 'f' })
    await fn('a')
    const exact = vi.spyOn(clock, 'now')
    const readsClock = async () => {
      exact.mockClear()
      await fn('a')
      return exact.mock.calls.length > 0
    }
    expect(await readsClock()).toBe(false)
    const off = [listen('hit'), listen('hit')]
    expect(await readsClock()).toBe(true)
    off[0]?.()
    expect(await readsClock()).toBe(true)
    off[1]?.()
    expect(await readsClock()).toBe(false)
  })

  it('miss: a load began', async () => {
    const { cache, seen, listen } = setUp()
    listen('miss')
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    await Promise.all([fn(1), fn(1)])
    await fn(1)
    expect(seen).toEqual([{ cache: 'app', function: 'f', key: 'app:f::~1' }])
  })

  it('stale: with its reason', async () => {
    const { cache, clock, seen, listen } = setUp({ grace: '1h' })
    listen('stale')
    const origin = vi.fn(async () => 1)
    const fn = cache.cached(origin, { name: 'f' })
    const slow = cache.cached(origin, { name: 'slow', softTimeout: '1s' })
    await Promise.all([fn(), slow()])
    await clock.advance('61s')
    origin.mockRejectedValue(new Error('down'))
    await fn()
    await clock.advance(0)
    await slow()
    origin.mockReturnValue(new Promise(() => {}))
    await clock.advance('6s')
    const waiting = slow()
    await clock.advance('1s')
    await waiting
    expect(seen).toEqual([
      { cache: 'app', function: 'f', reason: 'revalidate', key: 'app:f::~' },
      { cache: 'app', function: 'slow', reason: 'error', key: 'app:slow::~' },
      { cache: 'app', function: 'slow', reason: 'timeout', key: 'app:slow::~' },
    ])
  })

  it('origin: how long it took and how it ended', async () => {
    const { cache, clock, seen, listen } = setUp()
    listen('origin')
    const sleep = (ms: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, ms))
    const fn = cache.cached(
      async (ms: number, fails: boolean) => {
        await sleep(ms)
        if (fails) throw new Error('no')
      },
      { name: 'f', hardTimeout: '1s' },
    )
    const calls = Promise.allSettled([fn(10, false), fn(20, true), fn(2000, false)])
    await clock.advance('3s')
    await calls
    expect(seen).toEqual([
      { cache: 'app', function: 'f', durationMs: 10, result: 'ok' },
      { cache: 'app', function: 'f', durationMs: 20, result: 'error' },
      { cache: 'app', function: 'f', durationMs: 2000, result: 'timeout' },
    ])
  })

  it('error: what failed without failing a read', async () => {
    const store = chaosStore(memory(), { throws: 1 })
    const { cache, clock, seen, listen } = setUp({ l2: store, grace: '1h' })
    listen('error')
    const origin = vi.fn(async () => 1)
    const fn = cache.cached(origin, { name: 'f' })
    expect(await fn()).toBe(1)
    expect(seen).toEqual([{ cache: 'app', kind: 'l2-read', error: expect.any(Error) }])
    store.set({ throws: 0 })
    await clock.advance('61s')
    const down = new Error('down')
    origin.mockRejectedValue(down)
    seen.length = 0
    expect(await fn()).toBe(1)
    await clock.advance(0)
    expect(seen).toContainEqual({ cache: 'app', kind: 'refresh', error: down })
  })

  it('evict: which entry had to go', async () => {
    const { cache, seen, listen } = setUp({ l1: { maxEntries: 2 } })
    listen('evict')
    const fn = cache.cached(async (id: string) => id, { name: 'f' })
    for (const id of ['a', 'b', 'c']) await fn(id)
    expect(seen).toEqual([{ cache: 'app', function: 'f', key: expect.stringContaining('a') }])
    expect(cache.stats()).toMatchObject({ evictions: 1, entries: 2 })
  })

  it('invalidate: by key, by tag, softly, everything', async () => {
    const { cache, seen, listen } = setUp()
    listen('invalidate')
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    await fn.invalidate(1)
    await cache.delete('k')
    await cache.invalidateTag('t')
    await cache.expireTag('t')
    await fn.clear()
    await cache.clear()
    expect(seen).toEqual([
      { cache: 'app', kind: 'key', mode: 'hard' },
      { cache: 'app', kind: 'key', mode: 'hard' },
      { cache: 'app', kind: 'tags', mode: 'hard' },
      { cache: 'app', kind: 'tags', mode: 'soft' },
      { cache: 'app', kind: 'clear', mode: 'hard' },
      { cache: 'app', kind: 'clear', mode: 'hard' },
    ])
  })

  it('l2-state and degraded: when L2 is lost and when it is back', async () => {
    const store = chaosStore(memory())
    const { cache, clock, seen, listen } = setUp({ l2: store })
    listen('degraded')
    const states: unknown[] = []
    cache.on('l2-state', (event) => states.push(event))
    store.set({ throws: 1 })
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    for (let id = 0; id < 6; id++) await fn(id)
    expect(seen).toEqual([{ cache: 'app', degraded: true }])
    expect(states.at(-1)).toMatchObject({ cache: 'app', state: 'down', breaker: { read: 'open' } })
    store.set({ throws: 0 })
    await clock.advance('1s')
    expect(seen).toEqual([
      { cache: 'app', degraded: true },
      { cache: 'app', degraded: false },
    ])
    expect(states.at(-1)).toMatchObject({ cache: 'app', state: 'ready' })
  })

  it('reach nobody who has stopped listening', async () => {
    const { cache, seen, listen } = setUp()
    const off = [listen('miss'), listen('origin'), listen('invalidate'), listen('hit')]
    for (const stop of off) stop()
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    await fn(1)
    await fn(1)
    await fn.invalidate(1)
    expect(seen).toEqual([])
  })

  it('are those of the whole cache, on a namespace too', async () => {
    const { cache } = setUp()
    const seen = vi.fn()
    cache.namespace('a').on('miss', seen)
    await cache.cached(async (id: number) => id, { name: 'f' })(1)
    expect(seen).toHaveBeenCalledTimes(1)
  })

  it('harm nobody when a listener throws or rejects', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { cache, clock, seen } = setUp({ grace: '1h', l1: { maxEntries: 1 } })
    const names = ['hit', 'miss', 'stale', 'origin', 'evict', 'invalidate', 'error'] as const
    for (const name of names) {
      cache.on(name, () => {
        throw new Error('listener')
      })
      // biome-ignore lint/nursery/noMisusedPromises: what a listener should not do, and some will
      cache.on(name, async () => {
        throw new Error('async listener')
      })
      cache.on(name, () => seen.push(name))
    }
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    expect([await fn(1), await fn(1)]).toEqual([1, 1])
    await clock.advance('61s')
    expect(await fn(1)).toBe(1)
    await clock.advance(0)
    expect(await fn(2)).toBe(2)
    await fn.invalidate(2)
    expect(new Set(seen)).toEqual(
      new Set(['hit', 'miss', 'stale', 'origin', 'evict', 'invalidate']),
    )
    expect(warn.mock.calls.length).toBe(2 * seen.length)
  })
})
