import { describe, expect, it, vi } from 'vitest'
import { newCache } from '../../src/facade/create-cache.ts'
import { type CacheOptions, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { collectGarbage } from './collect-garbage.ts'

const MANY = 2000

function setUp(options: CacheOptions = {}) {
  const clock = new FakeClock()
  const made = newCache({
    name: 'app',
    clock,
    random: () => 0.5,
    jitter: 0,
    refreshAhead: false,
    ttl: '1m',
    ...options,
  })
  const { regions } = made.territory.parts
  return { ...made, clock, regions: () => regions.all().length }
}

describe('a namespace', () => {
  it('costs nothing until it is used', () => {
    const { cache, regions } = setUp()
    for (let i = 0; i < MANY; i++) cache.namespace(`tenant-${i}`).namespace('inner').stats()
    expect(regions()).toBe(0)
  })

  it('is kept only while it has entries: as many as L1 has room for', async () => {
    const { cache, regions } = setUp({ l1: { maxEntries: 100 } })
    for (let i = 0; i < MANY; i++) await cache.namespace(`tenant-${i}`).getOrSet('k', () => i)
    expect(regions()).toBeLessThan(300)
    expect(cache.health().l1.entries).toBe(100)
    expect(cache.stats()).toMatchObject({ entries: 100, misses: MANY, evictions: MANY - 100 })
  })

  it('is not kept for reads, deletions and refused keys', async () => {
    const { cache, regions } = setUp()
    for (let i = 0; i < MANY; i++) {
      const namespace = cache.namespace(`tenant-${i}`)
      await namespace.get('k')
      await namespace.delete('k')
      await expect(namespace.getOrSet(Symbol('k'), () => 1)).rejects.toThrow(/symbol/)
      await expect(namespace.set(Symbol('k'), 1)).rejects.toThrow(/symbol/)
    }
    expect(regions()).toBeLessThan(150)
    expect(cache.stats()).toMatchObject({ misses: MANY, invalidations: MANY })
  })

  it('goes on as before after it was let go, for those who hold it', async () => {
    const { cache } = setUp({ l1: { maxEntries: 10 } })
    const held = cache.namespace('held')
    await held.set('k', 1, { tags: ['t'] })
    for (let i = 0; i < MANY; i++) await cache.namespace(`tenant-${i}`).set('k', i)
    expect(await held.get('k')).toBeUndefined()
    await held.set('k', 2, { tags: ['t'] })
    expect(await cache.namespace('held').get('k')).toBe(2)
    await cache.namespace('held').invalidateTag('t')
    expect(await held.get('k')).toBeUndefined()
    await held.set('k', 3)
    await held.clear()
    expect(await held.get('k')).toBeUndefined()
    expect(held.stats()).toMatchObject({ sets: 3, evictions: 1, hits: { l1: 1 }, misses: 3 })
  })

  it('is not let go under a call that waits for L2: what it finds there is kept in L1', async () => {
    const clock = new FakeClock()
    const l2 = memory()
    await setUp({ l2, clock }).cache.namespace('slow').set('k', 'from L2')
    const opened = Promise.withResolvers<void>()
    const store: typeof l2 = {
      ...l2,
      open(context) {
        const session = l2.open(context)
        const read = session.read.bind(session)
        return Object.assign(session, {
          async read(request: Parameters<typeof read>[0]) {
            if (request.keys.some((key) => key.includes('slow'))) await opened.promise
            return read(request)
          },
        })
      },
    }
    const { cache } = setUp({ l2: store, clock })
    const reading = cache.namespace('slow').get('k')
    for (let i = 0; i < MANY; i++) await cache.namespace(`tenant-${i}`).delete('k')
    opened.resolve()
    expect(await reading).toBe('from L2')
    expect(await cache.namespace('slow').get('k')).toBe('from L2')
    expect(cache.namespace('slow').stats()).toMatchObject({ hits: { l1: 1, l2: 1 }, entries: 1 })
    expect(cache.health().l1.entries).toBe(1)
  })

  it('is not let go under a load: callers join it', async () => {
    const { cache } = setUp()
    const answer = Promise.withResolvers<string>()
    const first = cache.namespace('slow').getOrSet('k', () => answer.promise)
    for (let i = 0; i < MANY; i++) await cache.namespace(`tenant-${i}`).get('k')
    const second = cache.namespace('slow').getOrSet('k', () => 'another')
    answer.resolve('one')
    expect(await Promise.all([first, second])).toEqual(['one', 'one'])
  })

  it('is not let go under a refresh that nobody waits for', async () => {
    const { cache, clock } = setUp({ l1: { maxEntries: 10 }, ttl: '10s', grace: '1h' })
    const answer = Promise.withResolvers<string>()
    const origin = vi.fn(() => (origin.mock.calls.length === 1 ? 'old' : answer.promise))
    const get = () => cache.namespace('slow').getOrSet('k', origin)
    await get()
    await clock.advance('11s')
    expect(await get()).toBe('old')
    for (let i = 0; i < MANY; i++) await cache.namespace(`tenant-${i}`).set('k', i)
    const joined = get()
    answer.resolve('new')
    expect(await joined).toBe('new')
    expect(origin).toHaveBeenCalledTimes(2)
  })
})

describe('the counters of a namespace', () => {
  async function use(cache: ReturnType<typeof setUp>['cache']) {
    await cache.namespace('a').namespace('b').get('k')
    for (let i = 0; i < MANY; i++) await cache.namespace(`tenant-${i}`).get('k')
  }

  it('last as long as somebody holds it', async () => {
    const { cache } = setUp()
    const held = cache.namespace('a')
    await use(cache)
    await collectGarbage()
    expect(held.stats().misses).toBe(1)
    expect(cache.namespace('a').stats().misses).toBe(1)
    expect(cache.stats().misses).toBe(MANY + 1)
  })

  it('are forgotten with it, but not by the cache', async () => {
    const { cache } = setUp()
    await use(cache)
    await collectGarbage()
    expect(cache.namespace('a').stats().misses).toBe(0)
    expect(cache.stats().misses).toBe(MANY + 1)
  })
})
