import { describe, expect, it } from 'vitest'
import type { StoreSession } from '../../src/contracts/store.ts'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle, versions, watch } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

type Operation = keyof StoreSession

/** Two processes; what the first asks of the store can be made to fail, or its answer to come late. */
function setUp() {
  const world = aWorld()
  const store = memory()
  const failing = new Set<Operation>()
  const held = new Map<Operation, () => void>()
  const holding = new Set<Operation>()
  const sent: Operation[] = []
  const pass = async <T>(name: Operation, operation: () => Promise<T>): Promise<T> => {
    sent.push(name)
    if (failing.has(name)) throw new Error(`${name} fails`)
    const reply = await operation()
    if (holding.has(name)) await new Promise<void>((resolve) => held.set(name, resolve))
    return reply
  }
  const l2 = altered(store, (session) => ({
    read: (request) => pass('read', () => session.read(request)),
    write: (request) => pass('write', () => session.write(request)),
    delete: (keys) => pass('delete', () => session.delete(keys)),
    stamp: (tags, mode) => pass('stamp', () => session.stamp(tags, mode)),
    renew: (key, token, ms) => pass('renew', () => session.renew(key, token, ms)),
    release: (key, token) => pass('release', () => session.release(key, token)),
  }))
  const one = world.cache({ l2, ttl: '1h' })
  const other = world.cache({ l2: store, ttl: '1h' })
  const letGo = async (name: Operation): Promise<void> => {
    holding.delete(name)
    held.get(name)?.()
    await settle()
  }
  return { world, store, clock: world.clock, one, other, failing, holding, letGo, sent }
}

type SetUp = ReturnType<typeof setUp>

async function openWriteBreaker({ one, failing }: SetUp, operation: Operation): Promise<void> {
  failing.add(operation)
  for (let i = 0; i < 5; i++) {
    if (operation === 'delete') await one.delete('k')
    else if (operation === 'stamp') await one.expireTag('t')
    else await one.set(`k${i}`, 'value')
  }
  expect(one.health().l2.breaker.write).toBe('open')
}

describe('what fails while a replay is under way', () => {
  it('a delete is told again', async () => {
    const world = setUp()
    const { clock, one, other, failing, holding, letGo } = world
    await openWriteBreaker(world, 'delete')
    failing.clear()
    holding.add('delete')
    await clock.advance(50)
    await other.set('k', 'loaded by another process')
    expect(await one.delete('k')).toEqual({ durable: false })
    await letGo('delete')
    await clock.advance('5s')
    expect(await other.get('k')).toBeUndefined()
  })

  it('a hard invalidation of a tag that was expired before is told again, hard', async () => {
    const world = setUp()
    const { clock, one, other, failing, holding, letGo } = world
    await openWriteBreaker(world, 'stamp')
    failing.clear()
    holding.add('stamp')
    await clock.advance(50)
    const get = other.cached(versions().load, { name: 'fn', tags: () => ['t'], grace: '1h' })
    await get('a')
    expect(await one.invalidateTag('t')).toEqual({ durable: false })
    await letGo('stamp')
    await clock.advance('5s')
    expect(await get('a')).toBe('v2')
  })
})

describe('an acknowledged operation', () => {
  it('settles an earlier failed set of its key: the value is not deleted later', async () => {
    const { clock, one, other, failing } = setUp()
    failing.add('write')
    expect(await one.set('k', 'v1')).toEqual({ durable: false })
    failing.clear()
    expect(await one.set('k', 'v2')).toEqual({ durable: true })
    await clock.advance('5s')
    expect(await other.get('k')).toBe('v2')
  })

  it('keeps its value while a replay is due: that does not delete what is being set', async () => {
    const { clock, one, other, failing, holding, letGo } = setUp()
    failing.add('write')
    await one.set('k', 'v1')
    failing.clear()
    await clock.advance(740)
    holding.add('write')
    const done = watch(one.set('k', 'v2'))
    await clock.advance(20)
    await letGo('write')
    expect(done.value).toEqual({ durable: true })
    await clock.advance('5s')
    expect(await other.get('k')).toBe('v2')
  })

  it('is not credited to a set that was overtaken by a failed one', async () => {
    const { clock, one, other, failing, holding, letGo } = setUp()
    await other.set('k', 'old')
    holding.add('read')
    const slow = watch(one.set('k', 'v1'))
    await settle()
    failing.add('delete')
    expect(await one.delete('k')).toEqual({ durable: false })
    await letGo('read')
    expect(slow.value).toEqual({ durable: false })
    failing.clear()
    await clock.advance('5s')
    expect(await other.get('k')).toBeUndefined()
  })
})

describe('operations under way', () => {
  it('in any number do not make this process distrust all of L2', async () => {
    const { one, other } = setUp()
    const sets = await Promise.all(Array.from({ length: 10_001 }, (_, i) => one.set(`k${i}`, i)))
    expect(sets.every(({ durable }) => durable)).toBe(true)
    await other.set('other', 'value')
    expect(await one.get('other')).toBe('value')
  })

  it('do not keep the read breaker open on a store that is well', async () => {
    const { clock, one, failing, holding } = setUp()
    failing.add('read')
    for (let i = 0; i < 5; i++) await one.get(`k${i}`)
    expect(one.health().l2.breaker.read).toBe('open')
    failing.clear()
    holding.add('delete')
    void one.delete('k')
    await clock.advance('49ms')
    expect(one.health().l2.breaker.read).toBe('closed')
  })
})

describe('more failures than are remembered one by one', () => {
  it('invalidate the whole cache elsewhere, and are over when that is told', async () => {
    const world = setUp()
    const { clock, one, other, failing } = world
    const get = other.cached(versions().load, { name: 'fn' })
    await get('a')
    await settle()
    await openWriteBreaker(world, 'delete')
    failing.add('stamp')
    await Promise.all(Array.from({ length: 10_001 }, (_, i) => one.delete(`k${i}`)))
    failing.clear()
    await clock.advance('5s')
    expect(await get('a')).toBe('v2')
    await other.set('k', 'value')
    expect(await one.get('k')).toBe('value')
  })
})

describe('a read under way', () => {
  it('does not show a key that L2 is told to have been deleted before the reply is here', async () => {
    const { clock, one, other, failing, holding, letGo } = setUp()
    await other.set('k', 'old')
    failing.add('delete')
    await one.delete('k')
    failing.clear()
    await clock.advance(740)
    holding.add('read')
    const read = watch(one.get('k'))
    await settle()
    await clock.advance(20)
    await letGo('read')
    expect(read).toMatchObject({ state: 'fulfilled', value: undefined })
    expect(one.health().status).toBe('ok')
  })

  it('does not show what L2 is told to have been invalidated before the reply is here', async () => {
    const { clock, one, other, failing, holding, letGo } = setUp()
    const tags = () => ['t']
    const load = other.cached(async () => 'old', { name: 'fn', tags })
    const get = one.cached(async () => 'new', { name: 'fn', tags })
    await load()
    await settle()
    failing.add('stamp')
    await one.invalidateTag('t')
    failing.clear()
    await clock.advance(740)
    holding.add('read')
    const read = watch(get())
    await settle()
    await clock.advance(20)
    expect(one.health().l2.breaker.read).toBe('closed')
    await letGo('read')
    expect(read.value).toBe('new')
  })
})

describe('a set whose reply is late', () => {
  it('writes nothing more once its caller was told that it failed', async () => {
    const { world, store, clock, one, other, holding, letGo } = setUp()
    holding.add('read')
    const late = watch(one.set('k', 'late'))
    await clock.advance(50)
    expect(late.value).toEqual({ durable: false })
    await other.set('k', 'of another process')
    await letGo('read')
    const third = world.cache({ l2: store })
    expect(await third.get('k')).toBe('of another process')
  })
})

describe('while the write breaker is open', () => {
  it('no lease is renewed or given back, and health() is degraded', async () => {
    const world = setUp()
    const { clock, one, failing, sent } = world
    await openWriteBreaker(world, 'write')
    failing.add('delete')
    expect(one.health()).toMatchObject({ status: 'degraded', l2: { state: 'ready' } })
    const get = one.cached(
      () =>
        new Promise<string>((resolve) => {
          clock.setTimeout(() => resolve('loaded'), 3000)
        }),
      { name: 'fn' },
    )
    sent.length = 0
    const call = watch(get())
    await clock.advance('3s')
    expect(call.value).toBe('loaded')
    expect(sent.filter((name) => name !== 'read' && name !== 'delete')).toEqual([])
    failing.clear()
    await clock.advance('5s')
    expect(one.health().status).toBe('ok')
  })

  it('no lease is taken that others would have to wait for', async () => {
    const world = setUp()
    const { clock, one, other, failing } = world
    await openWriteBreaker(world, 'write')
    failing.add('delete')
    const slow = () =>
      new Promise<string>((resolve) => clock.setTimeout(() => resolve('one'), 3000))
    const mine = watch(one.cached(slow, { name: 'fn' })())
    await settle()
    const theirs = watch(other.cached(async () => 'other', { name: 'fn' })())
    await settle()
    expect(theirs.value).toBe('other')
    await clock.advance('3s')
    expect(mine.value).toBe('one')
  })

  it('does not touch the read breaker', async () => {
    const world = setUp()
    const { clock, one, failing } = world
    await openWriteBreaker(world, 'delete')
    failing.add('read')
    for (let i = 0; i < 5; i++) await one.get(`r${i}`)
    expect(one.health().l2.breaker.read).toBe('open')
    failing.delete('read')
    await clock.advance('5s')
    expect(one.health().l2.breaker).toEqual({
      read: 'closed',
      write: expect.not.stringMatching('closed'),
    })
  })
})
