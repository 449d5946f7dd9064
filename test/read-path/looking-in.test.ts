import { describe, expect, it } from 'vitest'
import { type CacheEvents, memory } from '../../src/index.ts'
import { aWorld, codeOf, endWorldsAfterEach, readsOf, settle, versions, watch } from './fixture.ts'

endWorldsAfterEach()

describe('peek', () => {
  it('gives the fresh value in L1, now, and starts nothing', async () => {
    const { clock, origin, get } = setUp()
    expect(get.peek('a')).toBeUndefined()
    await get('a')
    expect(get.peek('a')).toBe('v1')
    await clock.advance('10s')
    expect(get.peek('a')).toBeUndefined()
    await settle()
    expect(origin.count).toBe(1)
  })

  it('does not show a stale value', async () => {
    const { clock, get } = setUp({ grace: '1h' })
    await get('a')
    await clock.advance('10s')
    expect(get.peek('a')).toBeUndefined()
  })

  it('does not begin a refresh-ahead', async () => {
    const { clock, origin, get } = setUp({ refreshAhead: 0.5 })
    await get('a')
    await clock.advance('6s')
    expect(get.peek('a')).toBe('v1')
    await settle()
    expect(origin.count).toBe(1)
  })
})

describe('peekEntry', () => {
  it('tells a cached undefined from a missing value, and how old it is', async () => {
    const world = aWorld()
    const get = world.cache().cached(() => undefined)
    expect(get.peekEntry()).toBeUndefined()
    await get()
    await world.clock.advance('3s')
    expect(get.peekEntry()).toEqual({ value: undefined, ageMs: 3000, freshForMs: 7000 })
  })
})

describe('detail', () => {
  it('tells the source, the outcome, the age and the key', async () => {
    const { clock, get } = setUp({ grace: '1h' })
    const key = get.key('a')
    expect(await get.detail('a')).toEqual({
      value: 'v1',
      source: 'origin',
      outcome: 'loaded',
      ageMs: 0,
      key,
    })
    await clock.advance('4s')
    expect(await get.detail('a')).toEqual({
      value: 'v1',
      source: 'l1',
      outcome: 'hit',
      ageMs: 4000,
      key,
    })
    await clock.advance('8s')
    expect(await get.detail('a')).toEqual({
      value: 'v1',
      source: 'stale',
      outcome: 'stale-while-revalidate',
      ageMs: 12_000,
      key,
    })
  })

  it('tells who joined the load of another', async () => {
    const { get } = setUp()
    const outcomes = await Promise.all([get.detail('a'), get.detail('a')])
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['loaded', 'coalesced'])
  })

  it('does not take a load that was begun before an invalidation for one that was joined', async () => {
    const { cache, origin, get } = setUp()
    origin.hold()
    const early = watch(get('a'))
    await settle()
    await cache.invalidateTag('id:a')
    const late = watch(get.detail('a'))
    await settle()
    await origin.answer('before')
    await origin.answer('after')
    expect(early.value).toBe('before')
    expect(late.value).toMatchObject({ value: 'after', outcome: 'loaded' })
  })

  it('tells of a stale value after a failure', async () => {
    const { clock, origin, get } = setUp({ grace: '1h', softTimeout: '1s' })
    await get('a')
    await clock.advance('11s')
    origin.failWith(new Error('down'))
    const stale = { source: 'stale', outcome: 'stale-error' }
    expect(await get.detail('a')).toMatchObject(stale)
    expect(await get.detail('a')).toMatchObject(stale)
  })
})

describe('with({ maxAge })', () => {
  it('takes a cached value up to that age, else loads', async () => {
    const { clock, origin, get } = setUp()
    await get('a')
    await clock.advance('3s')
    expect(await get.with({ maxAge: '3s' })('a')).toBe('v1')
    expect(await get.with({ maxAge: 2999 })('a')).toBe('v2')
    expect(await get('a')).toBe('v2')
    expect(origin.count).toBe(2)
  })

  it('takes no stale value beyond that age, not even when the origin fails', async () => {
    const { clock, origin, get } = setUp({ grace: '1h' })
    await get('a')
    await clock.advance('11s')
    origin.failWith(new Error('down'))
    expect(await get.with({ maxAge: '11s' })('a')).toBe('v1')
    await expect(get.with({ maxAge: '10s' })('a')).rejects.toThrow('down')
  })

  it('calls the origin once when L2 has only something older', async () => {
    const world = aWorld()
    const store = memory()
    const origin = versions()
    const options = { name: 'fn', grace: '1h' } as const
    await world.cache({ l2: store }).cached(origin.load, options)('a')
    await world.clock.advance('5s')
    const get = world.cache({ l2: store }).cached(origin.load, options)
    expect(await get.with({ maxAge: '1s' })('a')).toBe('v2')
    expect(origin.count).toBe(2)
    expect(readsOf(get.stats())).toBe(1)
  })

  it('is not content with what a load that it joined brings from L2', async () => {
    const world = aWorld()
    const store = memory()
    const origin = versions()
    await world.cache({ l2: store }).cached(origin.load, { name: 'fn' })('a')
    await world.clock.advance('5s')
    const get = world.cache({ l2: store }).cached(origin.load, { name: 'fn' })
    const calls = [get('a'), get.with({ maxAge: '1s' })('a')]
    expect(await Promise.all(calls)).toEqual(['v1', 'v2'])
  })
})

describe('explain', () => {
  it('tells why, level by level, and changes nothing', async () => {
    const { clock, origin, get } = setUp({ grace: '1h' })
    expect(await get.explain('a')).toMatchObject({
      key: get.key('a'),
      l1: { state: 'missing' },
      l2: { state: 'off' },
      load: 'none',
    })
    await get('a')
    await clock.advance('4s')
    const fresh = await get.explain('a')
    expect(fresh.l1).toEqual({ state: 'fresh', ageMs: 4000, freshForMs: 6000, tags: ['id:a'] })
    expect(fresh.summary).toMatch(/hit in L1/)
    await clock.advance('8s')
    expect((await get.explain('a')).l1).toMatchObject({ state: 'stale', freshForMs: -2000 })
    expect(origin.count).toBe(1)
    expect(readsOf(get.stats())).toBe(1)
  })

  it('tells of a load under way', async () => {
    const { origin, get } = setUp()
    origin.hold()
    const call = get('a')
    await settle()
    expect((await get.explain('a')).load).toBe('running')
    await origin.answer('value')
    await call
  })
})

describe('stats', () => {
  it('account for each read once: fresh from a level, stale, or a miss', async () => {
    const world = aWorld()
    const store = memory()
    const origin = versions()
    const warm = world.cache({ l2: store }).cached(origin.load, { name: 'fn' })
    await warm('elsewhere')
    await settle()
    const cache = world.cache({ l2: store })
    const get = cache.cached(origin.load, { name: 'fn', grace: '1h', graceBackoff: 0 })
    await Promise.all([get('elsewhere'), get('elsewhere'), get('a'), get('a'), get('a')])
    await get('a')
    await get.many([['a'], ['b'], ['b']])
    origin.failWith(new Error('down'))
    await Promise.allSettled([get('c'), get('c')])
    await world.clock.advance('11s')
    await Promise.all([get('a'), get('b'), get.detail('a')])
    await settle()
    const stats = get.stats()
    expect(stats).toMatchObject({
      hits: { l1: 2, l2: 2, l3: 0 },
      misses: 7,
      stale: 3,
      originCalls: 5,
      originErrors: 3,
    })
    expect(readsOf(stats)).toBe(14)
    expect(readsOf(cache.stats())).toBe(14)
  })

  it('count those who joined a load, sets, invalidations and what L1 holds', async () => {
    const { cache, get } = setUp()
    await Promise.all([get('a'), get('a'), get('a')])
    await get.set(['b'], 'by hand')
    await get.invalidate('a')
    expect(cache.stats()).toMatchObject({
      coalesced: 2,
      sets: 1,
      invalidations: 1,
      entries: 1,
      evictions: 0,
      l2Errors: 0,
    })
  })

  it('of getMany count each key', async () => {
    const cache = aWorld().cache()
    await cache.set('a', 1)
    await cache.getMany(['a', 'b', 'a'])
    expect(cache.stats()).toMatchObject({ hits: { l1: 2, l2: 0 }, misses: 1 })
  })
})

describe('events', () => {
  it('tell of hits, misses and calls of the origin', async () => {
    const { clock, cache, origin, get } = setUp()
    const seen: string[] = []
    cache.on('hit', ({ level }) => seen.push(`hit ${level}`))
    cache.on('miss', () => seen.push('miss'))
    cache.on('origin', ({ result, durationMs }) => seen.push(`origin ${result} ${durationMs}`))
    await get('a')
    await get('a')
    await get('a')
    origin.hold()
    const slow = codeOf(get('b'))
    await clock.advance('2s')
    await origin.fail(new Error('down'))
    await slow
    expect(seen).toEqual(['miss', 'origin ok 0', 'hit l1', 'hit l1', 'miss', 'origin error 2000'])
  })

  it('tell what was invalidated', async () => {
    const { cache, get } = setUp()
    const seen: CacheEvents['invalidate'][] = []
    cache.on('invalidate', (event) => seen.push(event))
    await get.invalidate('a')
    await cache.invalidateTag('t')
    await cache.expireTag('t')
    await cache.clear()
    expect(seen.map(({ kind, mode }) => `${kind} ${mode}`)).toEqual([
      'key hard',
      'tags hard',
      'tags soft',
      'clear hard',
    ])
  })
})

function setUp(options: { grace?: '1h'; softTimeout?: '1s'; refreshAhead?: number } = {}) {
  const world = aWorld()
  const origin = versions()
  const cache = world.cache()
  const get = cache.cached(origin.load, { name: 'fn', tags: (id) => [`id:${id}`], ...options })
  return { clock: world.clock, cache, origin, get }
}
