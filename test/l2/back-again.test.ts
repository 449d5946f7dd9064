import { describe, expect, it } from 'vitest'
import type { Store, StoreState } from '../../src/contracts/store.ts'
import { type Cache, memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, endWorldsAfterEach, settle, versions } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

/** A process whose store's state is told by the test, and another that is always connected. */
function setUp() {
  const world = aWorld()
  const data = memory()
  const chaos = chaosStore(data)
  const deleted: string[][] = []
  let tell: (state: StoreState) => void = () => {}
  let loseMessages = (): void => {}
  const spied = altered(chaos, (session) => ({
    delete(keys) {
      deleted.push([...keys])
      return session.delete(keys)
    },
  }))
  const l2: Store = {
    ...spied,
    open(context) {
      tell = context.onState
      loseMessages = () => context.onMessage?.({ kind: 'lost' })
      return spied.open({ ...context, onState: () => {} })
    },
  }
  const one = world.cache({ l2, ttl: '1h', grace: '1h' })
  const other = world.cache({ l2: data, ttl: '1h', grace: '1h' })
  const connect = (more: Partial<StoreState> = {}): Promise<void> => {
    tell({ state: 'ready', source: 'memory', ...more })
    return settle()
  }
  const lost = () => tell({ state: 'down', source: 'none' })
  return {
    world,
    clock: world.clock,
    data,
    chaos,
    one,
    other,
    deleted,
    connect,
    lost,
    loseMessages: () => loseMessages(),
  }
}

const wrap = (cache: Cache) =>
  cache.cached(versions().load, { name: 'fn', tags: (id) => [`id:${id}`] })

describe('an L2 that is connected to again', () => {
  it('is told of the last invalidations again, which a failover may have undone', async () => {
    const { one, other, connect } = setUp()
    await connect()
    await other.set('k', 'old')
    expect(await one.delete('k')).toEqual({ durable: true })
    // The server that takes over had not heard of it.
    await other.set('k', 'old')
    await connect()
    expect(await other.get('k')).toBeUndefined()
  })

  it('is told of tags again, in their mode', async () => {
    const { one, other, connect } = setUp()
    await connect()
    expect(await one.invalidateTag('id:a')).toEqual({ durable: true })
    expect(await one.expireTag('id:b')).toEqual({ durable: true })
    const get = wrap(other)
    await Promise.all([get('a'), get('b')])
    await connect()
    expect(get.peekEntry('a')).toBeUndefined()
    expect(await get.detail('b')).toMatchObject({ outcome: 'stale-while-revalidate' })
  })

  it('is not told of what was acknowledged more than 30 s ago, nor at the first connection', async () => {
    const { one, clock, connect, deleted } = setUp()
    await one.delete('k')
    expect(deleted).toHaveLength(1)
    await connect()
    expect(deleted).toHaveLength(1)
    await clock.advance('30s')
    await connect()
    expect(deleted).toHaveLength(1)
  })

  it('keeps a value that was set, unless the set was not acknowledged', async () => {
    const { one, other, connect, lost } = setUp()
    await connect()
    expect(await one.set('k', 'durable')).toEqual({ durable: true })
    lost()
    expect(await one.set('l', 'not durable')).toEqual({ durable: false })
    await other.set('l', 'old')
    await connect()
    expect(await other.getMany(['k', 'l'])).toEqual(['durable', undefined])
  })

  it('does not take back what was set here while it was away', async () => {
    const { one, other, connect, lost, loseMessages, clock } = setUp()
    await connect()
    await other.set('k', 'old')
    lost()
    expect(await one.set('k', 'new')).toEqual({ durable: false })
    await connect()
    loseMessages()
    expect(await one.get('k')).toBe('new')
    await clock.advance('1m')
    expect(await one.get('k')).toBe('new')
    expect(await other.get('k')).toBeUndefined()
    await other.set('k', 'newer')
    await settle()
    expect(await one.get('k')).toBe('newer')
  })

  it('takes back what was set and acknowledged, and is gone there', async () => {
    const { one, data, connect, loseMessages } = setUp()
    await connect()
    expect(await one.set('k', 'value')).toEqual({ durable: true })
    data.lose()
    loseMessages()
    expect(await one.get('k')).toBeUndefined()
  })

  it('is not believed until it has been told', async () => {
    const { one, other, connect, chaos, clock } = setUp()
    await connect()
    await other.set('k', 'old')
    await one.delete('k')
    await other.set('k', 'old')
    chaos.set({ hangs: 1 })
    await connect()
    chaos.set({ hangs: 0 })
    expect(await one.get('k')).toBeUndefined()
    await clock.advance('4s')
    expect(await other.get('k')).toBeUndefined()
  })

  it('that has lost its data is told of them at the first reply that shows it', async () => {
    const { one, other, connect, data } = setUp()
    await connect()
    await one.get('x')
    await one.delete('k')
    data.lose()
    await other.set('k', 'old')
    await one.get('x')
    await settle()
    expect(await other.get('k')).toBeUndefined()
  })

  it('is used at once, whatever the next probe is due', async () => {
    const { one, chaos, clock, connect } = setUp()
    await connect()
    chaos.set({ throws: 1 })
    for (let i = 0; i < 5; i++) {
      await one.get(`k${i}`)
      await one.delete(`k${i}`)
    }
    await clock.advance('1m')
    expect(one.health().l2.breaker).toMatchObject({ read: 'open', write: 'open' })
    chaos.set({ throws: 0 })
    await connect()
    expect(one.health()).toMatchObject({
      status: 'ok',
      l2: { breaker: { read: 'closed', write: 'closed' } },
    })
  })

  it('and says nothing is found well within 1.2 s', async () => {
    const { one, chaos, clock, connect } = setUp()
    await connect()
    chaos.set({ hangs: 1 })
    for (let i = 0; i < 5; i++) {
      void one.get(`k${i}`)
      await clock.advance(50)
    }
    await clock.advance('1m')
    expect(one.health().l2.breaker.read).not.toBe('closed')
    chaos.set({ hangs: 0 })
    await clock.advance(1200)
    expect(one.health().l2.breaker.read).toBe('closed')
  })
})

describe('an L2 that takes no writes at present', () => {
  const READ_ONLY = { readOnly: true } as const

  it('is read, and keeps invalidations until it takes them', async () => {
    const { one, other, connect, deleted, clock } = setUp()
    await connect(READ_ONLY)
    await other.set('k', 'old')
    expect(await one.get('k')).toBe('old')
    expect(await one.delete('k')).toEqual({ durable: false })
    await clock.advance('5s')
    expect([deleted, await one.get('k'), await other.get('k')]).toEqual([[], undefined, 'old'])
    expect(one.health().l2).toMatchObject({ readOnly: true, breaker: { write: 'closed' } })
    await connect()
    expect(await other.get('k')).toBeUndefined()
    expect(one.health()).toMatchObject({ status: 'ok', l2: { readOnly: false } })
  })
})

describe('writes that are begun together', () => {
  it('and fail together count once', async () => {
    const { one, chaos, connect } = setUp()
    await connect()
    chaos.set({ throws: 1 })
    for (let turn = 1; turn <= 5; turn++) {
      expect(one.health().l2.breaker.write).toBe('closed')
      await Promise.all(Array.from({ length: 20 }, (_, at) => one.delete(`k${at}`)))
    }
    expect(one.health().l2.breaker.write).toBe('open')
    expect(one.stats().l2Errors).toBe(100)
  })
})
