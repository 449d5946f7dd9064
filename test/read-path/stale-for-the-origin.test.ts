import { describe, expect, it } from 'vitest'
import type { LoadContext } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle } from './fixture.ts'

endWorldsAfterEach()

interface List {
  items: string[]
  at: Date
}

describe('the stale value that an origin is handed', () => {
  // A Date cannot be frozen: with 'freeze' such a value is copied for each caller.
  for (const values of ['clone', 'freeze'] as const) {
    it(`is a copy with values: '${values}', so that no half-done change of it is served`, async () => {
      const { clock, get } = aList(values)
      await get('k')
      await clock.advance('11s')
      await get('k')
      await settle()
      expect((await get('k')).items).toEqual(['a'])
    })
  }

  it("is the stored object with values: 'share'", async () => {
    const { clock, get, handed } = aList('share')
    const first = await get('k')
    await clock.advance('11s')
    await get('k')
    await settle()
    expect(handed[0]).toBe(first)
  })

  it('is the same object whenever the origin looks', async () => {
    const { clock, get, handed } = aList('clone')
    await get('k')
    await clock.advance('11s')
    await get('k')
    await settle()
    expect(handed).toHaveLength(2)
    expect(handed[0]).toBe(handed[1])
  })

  function aList(values: 'share' | 'freeze' | 'clone') {
    const { clock, ...world } = aWorldWith(values)
    const handed: List[] = []
    const load = async (context: LoadContext<List>, _id: string): Promise<List> => {
      const { stale } = context
      if (!stale) return { items: ['a'], at: new Date(0) }
      stale.items.push('half-done')
      handed.push(stale, context.stale as List)
      throw new Error('then failed')
    }
    return { clock, handed, get: world.cache.cached(load, { context: true, grace: '1h' }) }
  }

  function aWorldWith(values: 'share' | 'freeze' | 'clone') {
    const world = aWorld()
    return { clock: world.clock, cache: world.cache({ l1: { values } }) }
  }
})
