import { describe, expect, it } from 'vitest'
import type { Store, StoreState } from '../../src/contracts/store.ts'
import { type CacheOptions, createCache, memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

function setUp(options: CacheOptions = {}) {
  const clock = new FakeClock(1000)
  const cache = createCache({ name: 'app', clock, random: () => 0.5, ttl: '1m', ...options })
  return { clock, cache }
}

/** A store whose state is told by the test. */
function told(): { store: Store; tell: (state: StoreState) => void } {
  const store = memory()
  let tell: (state: StoreState) => void = () => {}
  return {
    store: {
      ...store,
      open(context) {
        tell = context.onState
        return store.open({ ...context, onState: () => {} })
      },
    },
    tell: (state) => tell(state),
  }
}

describe('health', () => {
  it('without an L2', async () => {
    const { cache } = setUp()
    await cache.set('k', 'value')
    expect(cache.health()).toEqual({
      status: 'ok',
      l1: {
        entries: 1,
        bytes: expect.any(Number),
        ttlMs: Number.POSITIVE_INFINITY,
        ttlClamped: false,
      },
      l2: {
        state: 'off',
        source: 'none',
        coherence: 'ttl-only',
        scripts: false,
        readOnly: false,
        breaker: { read: 'closed', write: 'closed' },
        timeoutsIgnored: 0,
        stalenessMs: Number.POSITIVE_INFINITY,
        since: 1000,
      },
    })
  })

  it('with an L2 that is ready', () => {
    const { cache } = setUp({ l2: memory() })
    expect(cache.health()).toEqual({
      status: 'ok',
      l1: { entries: 0, bytes: 0, ttlMs: 60_000, ttlClamped: false },
      l2: {
        state: 'ready',
        source: 'memory',
        coherence: 'bus',
        scripts: true,
        readOnly: false,
        breaker: { read: 'closed', write: 'closed' },
        timeoutsIgnored: 0,
        stalenessMs: 1300,
        since: 1000,
      },
    })
  })

  it('gives no bound of staleness while L2 cannot be asked', () => {
    const late: Store = {
      ...memory(),
      open(context) {
        const session = memory().open({ ...context, onState: () => {} })
        context.onState({ state: 'down', source: 'memory' })
        return session
      },
    }
    const { cache } = setUp({ l2: late })
    expect(cache.health().l2.stalenessMs).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    ['bus', '2m', 60_000, true],
    ['bus', '60s', 60_000, false],
    ['bus', '1s', 1000, false],
    ['ttl-only', '60s', 5000, true],
    ['ttl-only', undefined, 5000, false],
  ] as const)(
    'shows an l1.ttl that coherence %s does not allow: %s',
    (coherence, ttl, ttlMs, ttlClamped) => {
      const l2 = { ...memory(), coherence }
      const { cache } = setUp({ l2, l1: ttl === undefined ? {} : { ttl } })
      expect(cache.health().l1).toMatchObject({ ttlMs, ttlClamped })
      expect(cache.health().l2.coherence).toBe(coherence)
    },
  )

  it('follows what the store says of itself', async () => {
    const { store, tell } = told()
    const { cache, clock } = setUp({ l2: store })
    expect(cache.health()).toMatchObject({
      status: 'degraded',
      l2: { state: 'connecting', since: 1000 },
    })
    await clock.advance('1s')
    tell({ state: 'ready', source: 'sentinel' })
    expect(cache.health()).toMatchObject({
      status: 'ok',
      l2: { state: 'ready', source: 'sentinel', since: 2000 },
    })
    expect(cache.health().l2).not.toHaveProperty('lastError')
    await clock.advance('1s')
    tell({ state: 'down', source: 'none', error: new Error('refused') })
    expect(cache.health()).toMatchObject({
      status: 'degraded',
      l2: { state: 'down', source: 'none', lastError: 'refused', since: 3000 },
    })
    tell({ state: 'ready', source: 'standalone' })
    expect(cache.health()).toMatchObject({ status: 'ok', l2: { source: 'standalone' } })
  })

  it('follows what the server that was reached can do', () => {
    const { store, tell } = told()
    const { cache } = setUp({ l2: store, l1: { ttl: '20s' } })
    tell({ state: 'ready', source: 'sentinel' })
    expect(cache.health()).toMatchObject({
      status: 'ok',
      l1: { ttlMs: 20_000, ttlClamped: false },
      l2: { coherence: 'bus', scripts: true, readOnly: false, stalenessMs: 1300 },
    })
    const supports = { leases: false, atomic: false }
    tell({ state: 'ready', source: 'last-known', coherence: 'ttl-only', supports, readOnly: true })
    expect(cache.health()).toMatchObject({
      status: 'degraded',
      l1: { ttlMs: 5000, ttlClamped: true },
      l2: { coherence: 'ttl-only', scripts: false, readOnly: true, stalenessMs: 5000 },
    })
    tell({ state: 'ready', source: 'sentinel' })
    expect(cache.health()).toMatchObject({ status: 'ok', l1: { ttlMs: 20_000 } })
  })

  it('never promises to be slower than an L1 copy lives', () => {
    const { cache } = setUp({ l2: memory(), l1: { ttl: '1s' } })
    expect(cache.health().l2.stalenessMs).toBe(1000)
  })

  it('is down with an open breaker, whatever the store says, and ok when it closes', async () => {
    const store = chaosStore(memory(), { throws: 1 })
    const { cache, clock } = setUp({ l2: store })
    const fn = cache.cached(async (id: number) => id, { name: 'f' })
    for (let id = 0; id < 6; id++) expect(await fn(id)).toBe(id)
    expect(cache.health()).toMatchObject({
      status: 'degraded',
      l2: { state: 'down', breaker: { read: 'open', write: 'closed' } },
    })
    expect(cache.stats().l2Errors).toBe(5)
    store.set({ throws: 0 })
    await clock.advance('1s')
    expect(cache.health()).toMatchObject({
      status: 'ok',
      l2: { state: 'ready', breaker: { read: 'closed', write: 'closed' } },
    })
  })

  it('is down after close', async () => {
    const { cache } = setUp({ l2: memory() })
    await cache.close()
    expect(cache.health()).toMatchObject({ status: 'down', l1: { entries: 0, bytes: 0 } })
  })
})

describe('ready', () => {
  it('resolves at once without an L2, and with one that is ready', async () => {
    await setUp().cache.ready({ strict: true })
    await setUp({ l2: memory() }).cache.ready({ strict: true })
  })

  it('resolves as soon as L2 is ready, and leaves no timer', async () => {
    const { store, tell } = told()
    const { cache, clock } = setUp({ l2: store })
    const ready = cache.ready({ strict: true })
    await clock.advance('1s')
    tell({ state: 'ready', source: 'memory' })
    await ready
    expect(clock.pending).toBe(0)
  })

  it('resolves after its timeout all the same', async () => {
    const { cache, clock } = setUp({ l2: told().store })
    let resolved = false
    const ready = cache.ready().then(() => {
      resolved = true
    })
    await clock.advance(4999)
    expect(resolved).toBe(false)
    await clock.advance(1)
    await ready
  })

  it('rejects after its timeout when strict', async () => {
    const { cache, clock } = setUp({ l2: told().store })
    const ready = cache.ready({ timeout: '2s', strict: true })
    const rejected = expect(ready).rejects.toMatchObject({
      code: 'ERR_L2_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('within 2000 ms; see health()'),
    })
    await clock.advance('2s')
    await rejected
  })

  it('does not make anybody else wait', async () => {
    const { cache } = setUp({ l2: told().store })
    void cache.ready({ timeout: '1m' })
    expect(await cache.cached(async (id: number) => id, { name: 'f' })(1)).toBe(1)
  })
})
