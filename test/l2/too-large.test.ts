import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

const LARGE = 'x'.repeat(10_000)

function setUp() {
  const world = aWorld()
  const store = memory()
  const l2 = altered(store, (session) => ({
    write: async (request) =>
      request.bytes.byteLength > 5000
        ? { stored: false, reason: 'too-large' }
        : session.write(request),
  }))
  const cache = world.cache({ l2 })
  const kinds: string[] = []
  cache.on('error', ({ kind }) => kinds.push(kind))
  return { world, cache, kinds, other: world.cache({ l2: store }) }
}

describe('a value that is too large for L2', () => {
  it('does not open the breaker, however often it comes', async () => {
    const { cache, kinds } = setUp()
    const get = cache.cached(async (_id: number) => LARGE, { name: 'fn' })
    for (let id = 0; id < 6; id++) {
      await get(id)
      await cache.set(`k${id}`, LARGE)
    }
    await settle()
    expect(cache.health()).toMatchObject({ status: 'ok', l2: { breaker: { write: 'closed' } } })
    expect(await cache.set('small', 1)).toEqual({ durable: true })
    expect(new Set(kinds)).toEqual(new Set(['l2-too-large']))
    expect(cache.stats().l2Errors).toBe(12)
  })

  it('set by hand is served here, is not durable and leaves no older value behind', async () => {
    const { world, cache, other } = setUp()
    await cache.set('k', 'old')
    expect(await cache.set('k', LARGE)).toEqual({ durable: false })
    expect(await cache.get('k')).toBe(LARGE)
    expect(await other.get('k')).toBeUndefined()
    // There is nothing to be told again.
    await other.set('k', 'new')
    await world.clock.advance('5s')
    expect(await other.get('k')).toBe('new')
  })

  it('stays in L1, and in its grace is served when the origin fails', async () => {
    const { world, cache } = setUp()
    let down = false
    const load = async (): Promise<string> => {
      if (down) throw new Error('down')
      return LARGE
    }
    const get = cache.cached(load, { name: 'fn', grace: '1h' })
    await get()
    await settle()
    expect(get.peek()).toBe(LARGE)
    down = true
    await world.clock.advance('11s')
    expect(await get()).toBe(LARGE)
  })

  it('does not hide that the store fails', async () => {
    const world = aWorld()
    let fails = 0
    const l2 = altered(memory(), () => ({
      release: () => Promise.reject(new Error('down')),
      write: async (request) => {
        if (request.bytes.byteLength > 5000) return { stored: false, reason: 'too-large' }
        fails++
        throw new Error('down')
      },
    }))
    const cache = world.cache({ l2 })
    const get = cache.cached(async (id: number) => (id % 2 ? LARGE : 'small'), { name: 'fn' })
    for (let id = 0; id < 10; id++) {
      await get(id)
      await settle()
    }
    expect(fails).toBeLessThanOrEqual(5)
    expect(cache.health().l2.breaker.write).toBe('open')
  })
})
