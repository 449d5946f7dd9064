import { describe, expect, it } from 'vitest'
import type { CacheEvents, L1Options } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, Origin } from '../read-path/fixture.ts'

endWorldsAfterEach()

function setUp(l1: L1Options) {
  const cache = aWorld().cache({ l1 })
  const make = (name: string, size = 1) =>
    cache.cached(new Origin<string>(() => 'x'.repeat(size)).load, { name })
  return { cache, make }
}

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `k${from + i}`)

describe('the bound of L1 in entries', () => {
  it('drops what was not used for longest', async () => {
    const { cache, make } = setUp({ maxEntries: 3 })
    const get = make('fn')
    for (const id of ['a', 'b', 'c']) await get(id)
    await get('a')
    await get('d')
    expect(['a', 'b', 'c', 'd'].filter((id) => get.peek(id) !== undefined)).toEqual(['a', 'c', 'd'])
    expect(cache.stats()).toMatchObject({ entries: 3, evictions: 1 })
  })

  it('holds for all functions together', async () => {
    const { cache, make } = setUp({ maxEntries: 10 })
    const functions = ['one', 'two', 'three'].map((name) => make(name))
    for (const id of ids(20)) for (const get of functions) await get(id)
    expect(cache.stats().entries).toBe(10)
    expect(cache.health().l1.entries).toBe(10)
  })

  it('makes the function that holds the most give up its own, not those of its neighbours', async () => {
    const { make } = setUp({ maxEntries: 10 })
    const hot = make('hot')
    const scanning = make('scanning')
    for (const id of ids(3)) await hot(id)
    for (const id of ids(100)) await scanning(id)
    expect(ids(3).every((id) => hot.peek(id) !== undefined)).toBe(true)
    expect(scanning.stats()).toMatchObject({ entries: 7, evictions: 93 })
    expect(hot.stats()).toMatchObject({ entries: 3, evictions: 0 })
  })

  it('gives the room of a function back when it is disposed of', async () => {
    const { cache, make } = setUp({ maxEntries: 10 })
    const gone = make('gone')
    for (const id of ids(8)) await gone(id)
    gone.dispose()
    const get = make('fn')
    for (const id of ids(10)) await get(id)
    expect(cache.stats()).toMatchObject({ entries: 10, evictions: 0 })
  })

  it('tells of each eviction, and of nothing else', async () => {
    const { cache, make } = setUp({ maxEntries: 2 })
    const events: CacheEvents['evict'][] = []
    cache.on('evict', (event) => events.push(event))
    const get = make('fn')
    for (const id of ['a', 'b', 'c']) await get(id)
    await get.refresh('c')
    await get.invalidate('c')
    await cache.clear()
    expect(events.map(({ key }) => key)).toEqual(['a'])
  })
})

describe('the bound of L1 in bytes', () => {
  it('holds for all functions together', async () => {
    const { cache, make } = setUp({ maxBytes: 10_000 })
    const functions = ['one', 'two'].map((name) => make(name, 1000))
    for (const id of ids(20)) for (const get of functions) await get(id)
    const { bytes, entries } = cache.stats()
    expect(bytes).toBeLessThanOrEqual(10_000)
    expect(bytes).toBeGreaterThan(8000)
    expect(entries).toBe(9)
    expect(cache.health().l1.bytes).toBe(bytes)
  })

  it('makes the function that holds the most bytes give up its own', async () => {
    const { make } = setUp({ maxBytes: 10_000 })
    const small = make('small', 10)
    const large = make('large', 2000)
    for (const id of ids(50)) await small(id)
    for (const id of ids(20)) await large(id)
    expect(small.stats().entries).toBe(50)
    expect(large.stats().entries).toBe(4)
  })

  it('does not let one huge value push out the others: it is returned and not kept', async () => {
    const { cache, make } = setUp({ maxBytes: 10_000 })
    const small = make('small', 100)
    for (const id of ids(20)) await small(id)
    const huge = make('huge', 20_000)
    expect((await huge('a')).length).toBe(20_000)
    expect(huge.peek('a')).toBeUndefined()
    expect(small.stats().entries).toBe(20)
    expect(cache.stats().evictions).toBe(0)
  })

  it('does not serve the old value after a new one that is too large', async () => {
    const { cache } = setUp({ maxBytes: 10_000 })
    await cache.set('a', 'old')
    await cache.set('a', 'x'.repeat(20_000))
    expect(await cache.get('a')).toBeUndefined()
  })

  it('counts a value that was replaced once', async () => {
    const { cache, make } = setUp({ maxBytes: 10_000 })
    const get = make('fn', 1000)
    await get('a')
    const { bytes } = cache.stats()
    for (let i = 0; i < 50; i++) await get.refresh('a')
    expect(cache.stats()).toMatchObject({ bytes, entries: 1, evictions: 0 })
    await get.invalidate('a')
    expect(cache.stats()).toMatchObject({ bytes: 0, entries: 0 })
  })

  it('counts Buffers, Maps, URLs and nested objects by what is in them', async () => {
    const { cache } = setUp({ maxBytes: '1mb' })
    const sizes: number[] = []
    for (const value of [
      Buffer.alloc(5000),
      new Map([['k', 'x'.repeat(5000)]]),
      { deep: { list: ['x'.repeat(2500), 'x'.repeat(2500)] } },
      Array.from({ length: 5000 }, () => 'x'.repeat(10)),
      new URL(`http://host/${'x'.repeat(5000)}`),
    ]) {
      const before = cache.stats().bytes
      await cache.set(String(sizes.length), value)
      sizes.push(cache.stats().bytes - before)
    }
    const [buffer, map, nested, list, url] = sizes as [number, number, number, number, number]
    for (const size of [buffer, map, nested, url]) {
      expect(size).toBeGreaterThan(5000)
      expect(size).toBeLessThan(5500)
    }
    expect(list).toBeGreaterThan(100_000)
    expect(list).toBeLessThan(300_000)
  })
})

describe('a level that is left out', () => {
  it('l1: false of the cache stores nothing in the process', async () => {
    const cache = aWorld().cache({ l1: false })
    const origin = new Origin((_, count) => `v${count}`)
    const get = cache.cached(origin.load)
    expect([await get('a'), await get('a')]).toEqual(['v1', 'v2'])
    expect(cache.stats().entries).toBe(0)
  })

  it('l1: false of a function concerns that function alone', async () => {
    const cache = aWorld().cache()
    const origin = new Origin((_, count) => `v${count}`)
    const without = cache.cached(origin.load, { l1: false })
    const other = cache.cached(origin.load)
    expect([await without('a'), await without('a')]).toEqual(['v1', 'v2'])
    expect([await other('a'), await other('a')]).toEqual(['v3', 'v3'])
  })

  it('still calls the origin once for callers at the same time', async () => {
    const origin = new Origin((_, count) => `v${count}`)
    const get = aWorld().cache({ l1: false }).cached(origin.load)
    expect(await Promise.all([get('a'), get('a')])).toEqual(['v1', 'v1'])
  })
})

describe('l1.ttl', () => {
  it('bounds the ttl where there is no L2', async () => {
    const world = aWorld()
    const cache = world.cache({ l1: { ttl: '3s' } })
    const get = cache.cached(new Origin((_, count) => `v${count}`).load, { ttl: '1h' })
    await get('a')
    await world.clock.advance(2999)
    expect(await get('a')).toBe('v1')
    await world.clock.advance(1)
    expect(await get('a')).toBe('v2')
  })
})
