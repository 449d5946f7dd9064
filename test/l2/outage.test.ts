import { describe, expect, it } from 'vitest'
import { type CacheEvents, type CacheOptions, memory } from '../../src/index.ts'
import { type ChaosSettings, chaosStore } from '../../src/testing/chaos-store.ts'
import {
  aWorld,
  codeOf,
  endWorldsAfterEach,
  settle,
  versions,
  watch,
} from '../read-path/fixture.ts'

endWorldsAfterEach()

function setUp(options: CacheOptions = {}) {
  const world = aWorld()
  const store = chaosStore(memory())
  const origin = versions()
  const make = (given: CacheOptions = options) => {
    const cache = world.cache({ l2: store, ...given })
    const get = cache.cached(origin.load, { name: 'fn', tags: (id) => [`id:${id}`] })
    return { cache, get }
  }
  return { clock: world.clock, store, origin, make, ...make() }
}

type SetUp = ReturnType<typeof setUp>

/** So many reads, one after the other, of keys that no level has; how long each took. */
async function waitsOf({ clock, get }: SetUp, count: number): Promise<number[]> {
  const waits: number[] = []
  for (let i = 0; i < count; i++) {
    const from = clock.now()
    const call = watch(get(`cold ${i}`))
    await settle()
    while (call.state === 'pending') await clock.advance(1)
    expect(call.state).toBe('fulfilled')
    waits.push(clock.now() - from)
  }
  return waits
}

async function openGate(world: SetUp, settings: ChaosSettings): Promise<void> {
  world.store.set(settings)
  await waitsOf(world, 5)
  expect(world.cache.health()).toMatchObject({ status: 'degraded', l2: { state: 'down' } })
}

describe('an L2 that hangs', () => {
  it('delays the first five calls by its deadline and no call after that', async () => {
    const world = setUp()
    world.store.set({ hangs: 1 })
    expect(await waitsOf(world, 8)).toEqual([50, 50, 50, 50, 50, 0, 0, 0])
  })

  it('delays a burst of calls once, whatever their number', async () => {
    const { clock, store, get } = setUp()
    store.set({ hangs: 1 })
    const calls = Array.from({ length: 200 }, (_, i) => watch(get(`k${i}`)))
    await clock.advance('50ms')
    expect(calls.every(({ state }) => state === 'fulfilled')).toBe(true)
  })

  it('delays a set no longer than its deadline', async () => {
    const { clock, store, get } = setUp()
    store.set({ hangs: 1 })
    const done = watch(get.set(['a'], 'by hand'))
    expect(get.peek('a')).toBe('by hand')
    await clock.advance(49)
    expect(done.state).toBe('pending')
    await clock.advance(1)
    expect(done.value).toEqual({ durable: false })
  })

  it('never delays the caller of a load by its write', async () => {
    const { store, origin, get } = setUp()
    origin.hold()
    const call = watch(get('a'))
    await settle()
    store.set({ hangs: 1 })
    await origin.answer('value')
    expect(call.value).toBe('value')
  })
})

describe('an L2 that fails', () => {
  it('never fails a read, nor delays it', async () => {
    const world = setUp()
    world.store.set({ throws: 1 })
    expect(await waitsOf(world, 8)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(world.cache.stats().l2Errors).toBeGreaterThanOrEqual(5)
  })

  it('is not asked any more after five failures in a row', async () => {
    const world = setUp()
    await openGate(world, { throws: 1 })
    const { operations } = world.store.counts
    await waitsOf(world, 20)
    expect(world.store.counts.operations).toBe(operations)
  })

  it('is still asked while failures are not in a row', async () => {
    const world = setUp()
    for (let i = 0; i < 10; i++) {
      world.store.set({ throws: i % 3 === 0 ? 0 : 1 })
      await world.cache.get(`k${i}`)
    }
    expect(world.cache.health().l2.state).toBe('ready')
  })

  it('is used again when a probe has found it well, with nobody asking', async () => {
    const world = setUp()
    await openGate(world, { hangs: 1 })
    await world.clock.advance('30s')
    expect(world.cache.health().l2.state).toBe('down')
    world.store.set({ hangs: 0 })
    await world.clock.advance('2s')
    expect(world.cache.health()).toMatchObject({ status: 'ok', l2: { state: 'ready' } })
    await world.get('b')
    await settle()
    expect(await world.make().get.detail('b')).toMatchObject({ source: 'l2' })
  })

  it('is tried soon at first: a short failure costs tenths of a second', async () => {
    const world = setUp()
    await openGate(world, { throws: 1 })
    world.store.set({ throws: 0 })
    await world.clock.advance('100ms')
    expect(world.cache.health().l2.state).toBe('ready')
  })

  it('is told by events and by health()', async () => {
    const world = setUp()
    const degraded: boolean[] = []
    const kinds = new Set<string>()
    world.cache.on('degraded', (event: CacheEvents['degraded']) => degraded.push(event.degraded))
    world.cache.on('error', ({ kind }) => kinds.add(kind))
    await openGate(world, { throws: 1 })
    expect(world.cache.health().l2.breaker.read).not.toBe('closed')
    expect(world.cache.health().l2.lastError).toMatch(/chosen to fail/)
    world.store.set({ throws: 0 })
    await world.clock.advance('5s')
    expect(degraded).toEqual([true, false])
    expect([...kinds]).toContain('l2-read')
  })

  it('leaves L1 in charge: copies are served beyond l1.ttl, up to their own ttl', async () => {
    const { clock, store, get } = setUp({ ttl: '1h', l1: { ttl: '5s' } })
    await get('a')
    await settle()
    store.set({ throws: 1 })
    for (let i = 0; i < 12; i++) {
      await clock.advance('5m')
      expect(await get('a')).toBe(i < 11 ? 'v1' : 'v2')
    }
  })

  it('leaves L1 in charge of get() as well', async () => {
    const { clock, store, cache } = setUp({ ttl: '1h', l1: { ttl: '5s' } })
    await cache.set('k', 'by hand')
    store.set({ throws: 1 })
    for (let i = 0; i < 8; i++) {
      await clock.advance('6s')
      expect(await cache.get('k')).toBe('by hand')
    }
  })

  it('does not keep a service from starting', async () => {
    const world = aWorld()
    const store = chaosStore(memory(), { throws: 1 })
    const cache = world.cache({ l2: store })
    expect(await cache.cached(versions().load, { name: 'fn' })('a')).toBe('v1')
    await cache.ready({ timeout: '1s' })
  })
})

describe('an invalidation while L2 is away', () => {
  const ways: ReadonlyArray<readonly [string, (world: SetUp) => Promise<{ durable: boolean }>]> = [
    ['invalidate', ({ get }) => get.invalidate('a')],
    ['invalidateTag', ({ cache }) => cache.invalidateTag('id:a')],
    ['expireTag', ({ cache }) => cache.expireTag('id:a')],
    ['clear of the function', ({ get }) => get.clear()],
    ['clear of the cache', ({ cache }) => cache.clear()],
  ]

  it.each(ways)('%s is done here at once and says that it is not durable', async (_, act) => {
    const world = setUp()
    await world.get('a')
    await settle()
    world.store.set({ throws: 1 })
    expect(await act(world)).toEqual({ durable: false })
    expect(world.get.peek('a')).toBeUndefined()
  })

  it.each(ways)('%s: what L2 still holds is not served here once it is back', async (_, act) => {
    const world = setUp()
    await world.get('a')
    await settle()
    world.store.set({ throws: 1 })
    await act(world)
    world.store.set({ throws: 0 })
    expect(await world.get('a')).toBe('v2')
  })

  it.each(ways)('%s is repeated to L2 when it is back, for the others', async (_, act) => {
    const world = setUp()
    await world.get('a')
    await settle()
    world.store.set({ hangs: 1 })
    const done = watch(act(world))
    await world.clock.advance('3s')
    expect(done.value).toEqual({ durable: false })
    world.store.set({ hangs: 0 })
    // The replay that hangs gives up after a second; the next one goes through.
    await world.clock.advance('4s')
    const other = world.make()
    expect(await other.get('a')).toBe('v2')
  })

  it.each(ways)(
    '%s rejects with ERR_L2_UNAVAILABLE when strict, and is done here',
    async (_, act) => {
      const world = setUp({ strict: true })
      await world.get('a')
      await settle()
      world.store.set({ throws: 1 })
      expect(await codeOf(act(world))).toBe('ERR_L2_UNAVAILABLE')
      expect(world.get.peek('a')).toBeUndefined()
    },
  )

  it('and a set: the value stays here, and the old one of L2 is gone when it is back', async () => {
    const world = setUp()
    await world.get('a')
    await settle()
    world.store.set({ throws: 1 })
    expect(await world.get.set(['a'], 'by hand')).toEqual({ durable: false })
    expect(await world.get('a')).toBe('by hand')
    world.store.set({ throws: 0 })
    await world.clock.advance('2s')
    expect(await world.get('a')).toBe('by hand')
    expect(await world.make().get('a')).toBe('v2')
  })

  it('is durable once L2 acknowledges again', async () => {
    const world = setUp()
    await openGate(world, { throws: 1 })
    expect(await world.get.invalidate('a')).toEqual({ durable: false })
    world.store.set({ throws: 0 })
    await world.clock.advance('5s')
    expect(await world.get.invalidate('a')).toEqual({ durable: true })
  })
})

describe('ready()', () => {
  it('resolves at once where L2 is usable, or where there is none', async () => {
    await setUp().cache.ready({ strict: true })
    await aWorld().cache().ready({ strict: true })
  })

  it('waits for an L2 that is down; only strict makes it reject', async () => {
    const world = setUp()
    await openGate(world, { throws: 1 })
    const strict = codeOf(world.cache.ready({ timeout: '1s', strict: true }))
    const patient = watch(world.cache.ready({ timeout: '10s', strict: true }))
    const lenient = watch(world.cache.ready({ timeout: '1s' }))
    await world.clock.advance('1s')
    expect(await strict).toBe('ERR_L2_UNAVAILABLE')
    expect([lenient.state, patient.state]).toEqual(['fulfilled', 'pending'])
    world.store.set({ throws: 0 })
    await world.clock.advance('2s')
    expect(patient.state).toBe('fulfilled')
  })
})

describe('an L2 whose every reply is late', () => {
  it('stays out of the way: its probes are as impatient as the callers', async () => {
    const world = setUp()
    world.store.set({ delay: 70 })
    const waits = await waitsOf(world, 5)
    await world.clock.advance('3s')
    expect(waits).toEqual([50, 50, 50, 50, 50])
    expect(await waitsOf(world, 3)).toEqual([0, 0, 0])
  })
})
