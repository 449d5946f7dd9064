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

describe.each([
  ['L1 only', () => ({})],
  ['with an L2', () => ({ l2: memory() })],
])('namespaces, %s', (_, levels) => {
  it('have keys of their own', async () => {
    const { cache } = setUp(levels())
    const caches = [cache, cache.namespace('a'), cache.namespace('b')]
    for (const [i, each] of caches.entries()) await each.set('k', i)
    expect(await Promise.all(caches.map((each) => each.get('k')))).toEqual([0, 1, 2])
    await cache.namespace('a').delete('k')
    expect(await Promise.all(caches.map((each) => each.get('k')))).toEqual([0, undefined, 2])
  })

  it('are the same however often they are asked for', async () => {
    const { cache } = setUp(levels())
    await cache.namespace('a').set('k', 1)
    expect(await cache.namespace('a').get('k')).toBe(1)
    await cache.namespace('a').delete('k')
    expect(await cache.namespace('a').get('k')).toBeUndefined()
    const origin = vi.fn(() => 2)
    await cache.namespace('a').getOrSet('k', origin)
    await cache.namespace('a').getOrSet('k', origin)
    expect(origin).toHaveBeenCalledTimes(1)
  })

  it('have tags of their own', async () => {
    const { cache } = setUp(levels())
    const caches = [cache, cache.namespace('a'), cache.namespace('a').namespace('b')]
    for (const each of caches) await each.set('k', 1, { tags: ['t'] })
    await cache.namespace('a').invalidateTag('t')
    expect(await Promise.all(caches.map((each) => each.get('k')))).toEqual([1, undefined, 1])
  })

  it('are emptied with what is nested in them, and nothing else', async () => {
    const { cache } = setUp(levels())
    const a = cache.namespace('a')
    const caches = [cache, a, a.namespace('b'), cache.namespace('b'), cache.namespace('ab')]
    const functions = caches.map((each) => each.cached(async (id: number) => id, { name: 'f' }))
    for (const each of caches) await each.set('k', 1)
    for (const fn of functions) await fn(1)
    await a.clear()
    const left = await Promise.all(caches.map((each) => each.get('k')))
    expect(left).toEqual([1, undefined, undefined, 1, 1])
    const sources = await Promise.all(functions.map(async (fn) => (await fn.detail(1)).source))
    expect(sources).toEqual(['l1', 'origin', 'origin', 'l1', 'l1'])
  })

  it('of the same name as a function never meet it', async () => {
    const { cache } = setUp(levels())
    const users = cache.cached(async (id: string) => `function ${id}`, { name: 'users' })
    const versioned = cache.cached(async (id: string) => `v1 ${id}`, { name: 'u', version: 1 })
    const odd = cache.cached(async (id: string) => `odd ${id}`, { name: '+users' })
    const within = cache.namespace('users')
    const nested = cache.namespace('u').cached(async (id: string) => `nested ${id}`, { name: 'v1' })
    await within.set('k', 'namespace k')
    expect(await Promise.all([users('k'), odd('k'), versioned('k'), nested('k')])).toEqual([
      'function k',
      'odd k',
      'v1 k',
      'nested k',
    ])
    expect(await within.get('k')).toBe('namespace k')
    await within.clear()
    expect([users, odd, versioned, nested].map((fn) => fn.peek('k'))).toEqual([
      'function k',
      'odd k',
      'v1 k',
      'nested k',
    ])
    await users.clear()
    await within.set('k', 'again')
    expect(await within.get('k')).toBe('again')
  })

  it('may have functions of the same name', async () => {
    const { cache } = setUp(levels())
    const functions = [cache, cache.namespace('a')].map((each, i) =>
      each.cached(async (id: number) => `${i}:${id}`, { name: 'f' }),
    )
    expect(await Promise.all(functions.map((fn) => fn(1)))).toEqual(['0:1', '1:1'])
    const again = cache.namespace('a').cached(async (id: number) => id, { name: 'f' })
    await expect(again(1)).rejects.toThrow(/alive/)
  })

  it('count what happens in them, and in what is nested', async () => {
    const { cache } = setUp(levels())
    const a = cache.namespace('a')
    await cache.cached(async (id: number) => id, { name: 'f' })(1)
    await a.cached(async (id: number) => id, { name: 'f' })(1)
    await a.namespace('b').cached(async (id: number) => id, { name: 'f' })(1)
    expect([cache, a, a.namespace('b'), cache.namespace('c')].map((c) => c.stats().misses)).toEqual(
      [3, 2, 1, 0],
    )
    expect(a.stats().entries).toBe(2)
  })
})

describe('names of namespaces', () => {
  it('show where they stand', () => {
    const { cache } = setUp()
    expect(cache.namespace('a').namespace('b').name).toBe('app/a/b')
  })

  it('are never two ways to one place', async () => {
    const { cache } = setUp()
    const places = [
      cache.namespace('a').namespace('b'),
      cache.namespace('a/b'),
      cache.namespace('a+b'),
      cache.namespace('a%2Bb'),
      cache.namespace('+a').namespace('b'),
      cache.namespace('a:b'),
    ]
    const keys = places.map((place) => place.cached((id: number) => id, { name: 'f' }).key(1))
    expect(new Set(keys).size).toBe(places.length)
    for (const [i, place] of places.entries()) await place.set('k', i, { tags: ['t'] })
    expect(await Promise.all(places.map((place) => place.get('k')))).toEqual([0, 1, 2, 3, 4, 5])
    await places[0]?.clear()
    await places[1]?.invalidateTag('t')
    expect(await Promise.all(places.map((place) => place.get('k')))).toEqual([
      undefined,
      undefined,
      2,
      3,
      4,
      5,
    ])
  })
})

describe('defaults of namespaces', () => {
  it('are inherited, overridden, and overridden again by functions', async () => {
    const { clock, cache } = setUp({ ttl: '10s' })
    const outer = cache.namespace('outer', { grace: '1h' })
    const inner = outer.namespace('inner', { ttl: '1m' })
    const state = async (each: typeof cache, after: number, own = {}) => {
      const fn = each.cached(async () => 1, { name: `f${names++}`, ...own })
      await fn()
      await clock.advance(after)
      return (await fn.explain()).l1.state
    }
    let names = 0
    expect(await state(cache, 9_000)).toBe('fresh')
    expect(await state(cache, 11_000)).toBe('dead')
    expect(await state(outer, 11_000)).toBe('stale')
    expect(await state(inner, 11_000)).toBe('fresh')
    expect(await state(inner, 61_000)).toBe('stale')
    expect(await state(inner, 11_000, { ttl: '10s', grace: 0 })).toBe('dead')
  })

  it('that are undefined hide nothing', async () => {
    const { cache } = setUp({ ttl: '10s' })
    const namespace = cache.namespace('a', { ttl: undefined } as never)
    expect(await namespace.cached(async (id: number) => id, { name: 'f' })(1)).toBe(1)
    const loose = createCache({ ttl: undefined } as never)
    expect(await loose.get('k')).toBeUndefined()
  })

  it('hold for getOrSet', async () => {
    const { clock, cache } = setUp({ ttl: '10s' })
    const namespace = cache.namespace('a', { ttl: '1m' })
    await namespace.getOrSet('k', () => 1)
    await clock.advance('30s')
    expect(await namespace.get('k')).toBe(1)
  })
})
