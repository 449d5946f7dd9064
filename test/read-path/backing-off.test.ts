import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, Origin, settle } from './fixture.ts'

endWorldsAfterEach()

describe('graceBackoff without a value in L1', () => {
  for (const l1 of [false, { maxBytes: 1 }] as const) {
    it(`leaves a failed origin alone with l1: ${JSON.stringify(l1)}`, async () => {
      const { cache, clock, failing, get } = await stale({ l1 })
      const before = failing.count
      for (let i = 0; i < 20; i++) {
        expect(await get('k')).toBe('old')
        await clock.advance(100)
      }
      expect(failing.count - before).toBe(1)
      expect(await get.detail('k')).toMatchObject({ source: 'stale', outcome: 'stale-error' })
      expect(cache.stats()).toMatchObject({ stale: 21, originErrors: 1 })
    })
  }

  it('tries again when it is over', async () => {
    const { clock, failing, get } = await stale({ l1: false })
    await get('k')
    await clock.advance('4900ms')
    await get('k')
    await settle()
    expect(failing.count).toBe(2)
    await clock.advance('200ms')
    failing.replyWith(() => 'new')
    await get('k')
    await settle()
    expect(failing.count).toBe(3)
    expect(await get('k')).toBe('new')
  })

  it('ends with the next value that is stored', async () => {
    const { clock, failing, get } = await stale({ l1: false, graceBackoff: '1h' })
    await get('k')
    await settle()
    failing.replyWith(() => 'new')
    expect(await get.refresh('k')).toBe('new')
    await clock.advance('11s')
    await get('k')
    await settle()
    expect(failing.count).toBe(4)
  })

  it('leaves the lease to others', async () => {
    const { cache, clock, l2, get, world } = await stale({ l1: false })
    await get('k')
    await settle()
    await get('k')
    await settle()
    expect(cache.stats().stale).toBe(2)
    const other = world.cache({ l2, grace: '1h' }).cached(new Origin(() => 'new').load, {
      name: 'fn',
    })
    await other('k')
    await clock.advance(1)
    expect(await get('k')).toBe('new')
  })

  it('holds nobody back who takes nothing that old', async () => {
    const { failing, get } = await stale({ l1: false })
    await get('k')
    await settle()
    failing.replyWith(() => 'new')
    expect(await get.with({ maxAge: '1s' })('k')).toBe('new')
  })

  it('remembers a bounded number of keys, the latest', async () => {
    const { clock, failing, get } = await stale({ l1: false, graceBackoff: '1h' }, 1100)
    const all = Array.from({ length: 1100 }, (_, i) => String(i))
    for (const id of all) await get(id)
    await settle()
    const before = failing.count
    await get('0')
    await get('1099')
    await clock.advance(1)
    expect(failing.calls.slice(before).map(({ id }) => id)).toEqual(['0'])
  })

  async function stale(options: object, keys = 0) {
    const world = aWorld()
    const l2 = memory()
    const failing = new Origin(() => 'old')
    const cache = world.cache({ l2, grace: '1d', ...options })
    const get = cache.cached(failing.load, { name: 'fn' })
    await get('k')
    for (let i = 0; i < keys; i++) await get(String(i))
    await world.clock.advance('11s')
    failing.failWith(new Error('down'))
    return { world, clock: world.clock, l2, cache, failing, get }
  }
})

describe('graceBackoff of a copy that has to be compared with L2', () => {
  it('leaves a failed origin alone after the comparison too', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const cache = world.cache({ l2: memory(), l1: { ttl: '2s' }, grace: '1d', graceBackoff: '1m' })
    const get = cache.cached(origin.load, { name: 'fn' })
    await get('k')
    await world.clock.advance('11s')
    origin.failWith(new Error('down'))
    for (let i = 0; i < 10; i++) {
      expect(await get('k')).toBe('old')
      await world.clock.advance('3s')
    }
    expect(origin.count).toBe(2)
  })
})
