import { describe, expect, it } from 'vitest'
import type { Store, StoreState } from '../../src/contracts/store.ts'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, watch } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

/** A process whose server stands still: it carries out later what nobody waits for any more. */
function setUp() {
  const world = aWorld()
  const data = memory()
  const server = { isFrozen: false, releases: 0 }
  const waiting: Array<() => Promise<unknown>> = []
  let tell: (state: StoreState) => void = () => {}
  const spied = altered(data, (session) => ({
    read(request) {
      if (!server.isFrozen) return session.read(request)
      if (request.lease) waiting.push(() => session.read(request))
      return new Promise(() => {})
    },
    release(key, token, end) {
      server.releases++
      return session.release(key, token, end)
    },
  }))
  const l2: Store = {
    ...spied,
    open(context) {
      tell = context.onState
      return spied.open({ ...context, onState: () => {} })
    },
  }
  const cache = world.cache({ l2 })
  const origin = new Origin()
  const one = cache.cached(origin.load, { name: 'fn' })
  const elsewhere = new Origin()
  const other = world.cache({ l2: data }).cached(elsewhere.load, { name: 'fn' })
  const connect = (): Promise<void> => {
    tell({ state: 'ready', source: 'memory' })
    return settle()
  }
  const thaw = async (): Promise<void> => {
    server.isFrozen = false
    await Promise.all(waiting.splice(0).map((carryOut) => carryOut()))
  }
  return { world, server, cache, one, origin, other, elsewhere, connect, thaw }
}

describe('leases that were asked for and not answered', () => {
  async function unanswered(keys: readonly string[] = ['a']) {
    const all = setUp()
    await all.connect()
    all.server.isFrozen = true
    const reads = keys.map((key) => watch(all.one(key)))
    await all.world.clock.advance(50)
    for (const key of keys) await all.origin.answer(key)
    expect(reads.map(({ value }) => value)).toEqual(keys)
    return all
  }

  it('are given back when the store is there again', async () => {
    const { connect, thaw, other, elsewhere } = await unanswered()
    await thaw()
    await connect()
    const read = watch(other('a'))
    await settle()
    await elsewhere.answer('there')
    expect(read.value).toBe('there')
  })

  it('are given back once more, for the server may be late', async () => {
    const { connect, thaw, world, other, elsewhere, server } = await unanswered()
    await connect()
    await thaw()
    await world.clock.advance(1000)
    const read = watch(other('a'))
    await settle()
    await elsewhere.answer('there')
    expect(read.value).toBe('there')
    expect(server.releases).toBe(2)
    await world.clock.advance('10s')
    await connect()
    expect(server.releases).toBe(2)
  })

  it('are given back where the connection was back before the deadline', async () => {
    const { world, server, connect, thaw, one, origin, other, elsewhere } = setUp()
    await connect()
    server.isFrozen = true
    void one('a')
    await settle()
    await connect()
    await thaw()
    await world.clock.advance(50)
    await origin.answer('here')
    const read = watch(other('a'))
    await settle()
    await elsewhere.answer('there')
    expect(read.value).toBe('there')
  })

  it('are forgotten after half a minute', async () => {
    const { world, connect, server } = await unanswered()
    await world.clock.advance('30s')
    await connect()
    expect(server.releases).toBe(0)
  })

  it('are no operations that count, and none is left when the cache is closed', async () => {
    const { cache, connect, world } = await unanswered(['a', 'b', 'c'])
    const before = cache.stats().l2Errors
    await connect()
    expect(cache.stats().l2Errors).toBe(before)
    const pending = world.clock.pending
    const closed = cache.close({ deadline: 0 })
    await settle()
    await closed
    expect(world.clock.pending).toBeLessThan(pending)
  })
})
