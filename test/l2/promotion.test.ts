import { describe, expect, it } from 'vitest'
import { type CacheOptions, type FunctionOptions, memory, type Store } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, endWorldsAfterEach, settle, versions, watch } from '../read-path/fixture.ts'

endWorldsAfterEach()

type Options = FunctionOptions<[id?: string], string>

/** A store whose sessions hear nothing of each other. */
function withoutBus(store: Store): Store {
  return {
    ...store,
    coherence: 'ttl-only',
    open: ({ clock, random, space, onState }) => store.open({ clock, random, space, onState }),
  }
}

function setUp(store: Store = memory()) {
  const world = aWorld()
  const counted = chaosStore(store)
  const origin = versions()
  const process = (options: Options = {}, cacheOptions: CacheOptions = {}) => {
    const cache = world.cache({ l2: counted, ...cacheOptions })
    return { cache, get: cache.cached(origin.load, { name: 'fn', ...options }) }
  }
  return { clock: world.clock, store: counted, origin, process }
}

describe('what comes from L2', () => {
  it('keeps its age, and ends when it ends there', async () => {
    const { clock, process } = setUp()
    await process().get('a')
    await clock.advance('4s')
    const { get } = process()
    expect(await get.detail('a')).toMatchObject({ source: 'l2', outcome: 'promoted', ageMs: 4000 })
    expect(get.peekEntry('a')).toEqual({ value: 'v1', ageMs: 4000, freshForMs: 6000 })
    await clock.advance(5999)
    expect(await get('a')).toBe('v1')
    await clock.advance(1)
    expect(await get('a')).toBe('v2')
  })

  it('is kept in L1', async () => {
    const { store, process } = setUp()
    await process().get('a')
    // The others are told of the commit.
    await settle()
    const { get } = process()
    await get('a')
    const { operations } = store.counts
    expect(await get.detail('a')).toMatchObject({ source: 'l1' })
    expect(store.counts.operations).toBe(operations)
  })

  it('may be stale: it is served in its grace while the origin is called', async () => {
    const { clock, origin, process } = setUp()
    await process({ grace: '1h' }).get('a')
    await clock.advance('11s')
    origin.hold()
    const { get } = process({ grace: '1h' })
    expect(await get.detail('a')).toMatchObject({ value: 'v1', source: 'stale', ageMs: 11_000 })
    await settle()
    await origin.answer('v2')
    expect(await get('a')).toBe('v2')
  })

  it('may be stale, and then waits softTimeout for the origin', async () => {
    const { clock, origin, process } = setUp()
    await process({ grace: '1h' }).get('a')
    await clock.advance('11s')
    origin.hold()
    const call = watch(process({ grace: '1h', softTimeout: '200ms' }).get('a'))
    await clock.advance(199)
    expect(call.state).toBe('pending')
    await clock.advance(1)
    expect(call.value).toBe('v1')
  })

  it('may be stale, and is served when the origin fails, which is then left alone for a while', async () => {
    const { clock, origin, process } = setUp()
    await process({ grace: '1h' }).get('a')
    await clock.advance('11s')
    origin.failWith(new Error('down'))
    const { get } = process({ grace: '1h', softTimeout: '1s', graceBackoff: '5s' })
    expect(await get.detail('a')).toMatchObject({ value: 'v1', outcome: 'stale-error' })
    expect(await get('a')).toBe('v1')
    expect(origin.count).toBe(2)
    await clock.advance('5s')
    expect(await get('a')).toBe('v1')
    expect(origin.count).toBe(3)
  })

  it('lives for ever with an infinite ttl', async () => {
    const { clock, process } = setUp()
    await process({ ttl: Number.POSITIVE_INFINITY }).get('a')
    await clock.advance('10000d')
    const { get } = process({ ttl: Number.POSITIVE_INFINITY })
    expect(await get.detail('a')).toMatchObject({ value: 'v1', source: 'l2' })
  })

  it('is not believed when it lacks a tag that the call declares', async () => {
    const { process } = setUp()
    await process({ tags: () => ['old'] }).get('a')
    expect(await process({ tags: () => ['old'] }).get('a')).toBe('v1')
    expect(await process({ tags: () => ['old', 'new'] }).get('a')).toBe('v2')
  })

  it('is not believed after the store has lost its data and is another one', async () => {
    const world = aWorld()
    const store = memory()
    const origin = versions()
    const get = world.cache({ l2: store }).cached(origin.load, { name: 'fn' })
    await get('a')
    await settle()
    store.lose()
    const other = world.cache({ l2: store }).cached(origin.load, { name: 'fn' })
    expect(await other('a')).toBe('v2')
  })

  it('of another version of the function is not found', async () => {
    const { process } = setUp()
    await process({ version: 1 }).get('a')
    expect(await process({ version: 2 }).get('a')).toBe('v2')
    expect(await process({ version: 1 }).get('a')).toBe('v1')
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a date', new Date(5)],
    ['a map', new Map([[{ k: 1 }, new Set([1n])]])],
    ['a buffer', Buffer.from('abc')],
    ['nested', { list: [undefined, { at: new Date(7) }], bytes: new Uint16Array([1, 2]) }],
  ])('is equal to what was stored: %s', async (_, value) => {
    const world = aWorld()
    const store = memory()
    await world.cache({ l2: store }).cached(() => value, { name: 'fn' })()
    const fail = () => expect.fail('it is in L2')
    const get = world.cache({ l2: store }).cached(fail as () => typeof value, { name: 'fn' })
    expect(await get()).toStrictEqual(value)
    expect((await get.many([[]]))[0]).toStrictEqual(value)
  })
})

describe('a copy in L1', () => {
  it('is compared with L2 again after l1.ttl, and stays while L2 still has it', async () => {
    const { clock, store, origin, process } = setUp(withoutBus(memory()))
    const { get } = process({ ttl: '1h' }, { l1: { ttl: '2s' } })
    await get('a')
    await settle()
    const { operations } = store.counts
    await clock.advance(1999)
    await get('a')
    expect(store.counts.operations).toBe(operations)
    await clock.advance(1)
    expect(await get('a')).toBe('v1')
    expect(store.counts.operations).toBe(operations + 1)
    await clock.advance(1999)
    await get('a')
    expect(store.counts.operations).toBe(operations + 1)
    expect(origin.count).toBe(1)
  })

  it.each([
    ['set', 'by hand'],
    ['invalidate', 'v2'],
    ['invalidateTag', 'v2'],
    ['clear', 'v2'],
  ] as const)(
    'gives way after that to a %s of another process that it was not told of',
    async (act, now) => {
      const { clock, process } = setUp(withoutBus(memory()))
      const options: Options = { ttl: '1h', tags: () => ['t'] }
      const [one, other] = [process(options), process(options)]
      await one.get('a')
      await settle()
      expect(await other.get('a')).toBe('v1')
      if (act === 'set') await one.get.set(['a'], 'by hand')
      if (act === 'invalidate') await one.get.invalidate('a')
      if (act === 'invalidateTag') await one.cache.invalidateTag('t')
      if (act === 'clear') await one.cache.clear()
      expect(other.get.peek('a')).toBe('v1')
      await clock.advance('5s')
      expect(other.get.peek('a')).toBeUndefined()
      expect(await other.get('a')).toBe(now)
    },
  )

  it('is compared after 5 s where nobody tells of changes, whatever l1.ttl asks for', async () => {
    const { clock, store, process } = setUp(withoutBus(memory()))
    const { cache, get } = process({ ttl: '1h' }, { l1: { ttl: '30s' } })
    expect(cache.health().l1).toMatchObject({ ttlMs: 5000, ttlClamped: true })
    await get('a')
    await settle()
    const { operations } = store.counts
    await clock.advance('5s')
    await get('a')
    expect(store.counts.operations).toBe(operations + 1)
  })

  it('is compared after 60 s where the bus tells of changes', async () => {
    const { clock, store, process } = setUp()
    const { cache, get } = process({ ttl: '1h' }, { l1: { ttl: '1h' } })
    expect(cache.health().l1).toMatchObject({ ttlMs: 60_000, ttlClamped: true })
    await get('a')
    await settle()
    const { operations } = store.counts
    await clock.advance(59_999)
    await get('a')
    expect(store.counts.operations).toBe(operations)
    await clock.advance(1)
    await get('a')
    expect(store.counts.operations).toBe(operations + 1)
  })
})

describe('a function without L2', () => {
  it('stores nothing there and needs no name', async () => {
    const { store, origin, process } = setUp()
    const { cache } = process()
    const { operations } = store.counts
    const get = cache.cached(origin.load, { l2: false })
    expect([await get('a'), await get('a')]).toEqual(['v1', 'v1'])
    expect(store.counts.operations).toBe(operations)
  })
})

describe('a function without L1', () => {
  it('reads L2 each time', async () => {
    const { origin, process } = setUp()
    const { get } = process({ l1: false })
    await get('a')
    await settle()
    expect(await get.detail('a')).toMatchObject({ value: 'v1', source: 'l2' })
    expect(await get.detail('a')).toMatchObject({ value: 'v1', source: 'l2' })
    expect(origin.count).toBe(1)
  })

  it('sees what another process has set at once', async () => {
    const { process } = setUp()
    const [one, other] = [process({ l1: false }), process({ l1: false })]
    await one.get('a')
    await settle()
    await other.get.set(['a'], 'by hand')
    expect(await one.get('a')).toBe('by hand')
  })
})
