import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle, versions } from './fixture.ts'

endWorldsAfterEach()

describe('a tags function that throws', () => {
  it('is not called by a hit', async () => {
    const { get, tags } = tagged({})
    await get('a')
    tags.fail = true
    const { calls } = tags
    for (let i = 0; i < 3; i++) expect(await get('a')).toBe('v1')
    expect([tags.calls, tags.errors]).toEqual([calls, []])
  })

  it('rejects nobody who reads a fresh value, and is reported', async () => {
    const { clock, get, origin, tags } = tagged({ refreshAhead: 0.9 })
    await get('a')
    tags.fail = true
    await clock.advance('9500ms')
    expect(await get('a')).toBe('v1')
    await settle()
    expect(tags.errors).toEqual(['tags: no tags today'])
    expect(origin.count).toBe(1)
  })

  it('is asked again after graceBackoff only', async () => {
    const { clock, get, tags } = tagged({ ttl: '1m', refreshAhead: 0.5, graceBackoff: '5s' })
    await get('a')
    tags.fail = true
    await clock.advance('40s')
    for (let i = 0; i < 5; i++) await get('a')
    expect(tags.errors).toHaveLength(1)
    await clock.advance('6s')
    await get('a')
    expect(tags.errors).toHaveLength(2)
  })

  for (const softTimeout of [0, '1s'] as const) {
    it(`rejects nobody who can be served a stale value (softTimeout ${softTimeout})`, async () => {
      const { clock, get, tags } = tagged({ grace: '1h', softTimeout })
      await get('a')
      tags.fail = true
      await clock.advance('11s')
      expect(await get('a')).toBe('v1')
      expect(tags.errors).toEqual(['tags: no tags today'])
      tags.fail = false
      await clock.advance('6s')
      await get('a')
      await settle()
      expect(await get('a')).toBe('v2')
    })
  }

  it('rejects nobody whose fresh value L2 confirms', async () => {
    const { clock, get, tags } = tagged({ l2: memory(), ttl: '1h', l1: { ttl: '2s' } })
    await get('a')
    await clock.advance('3s')
    tags.fail = true
    expect(await get.detail('a')).toMatchObject({ value: 'v1', source: 'l2' })
    expect(tags.errors).toEqual(['tags: no tags today'])
  })

  it('rejects a miss', async () => {
    const { get, tags } = tagged({ l2: memory() })
    tags.fail = true
    await expect(get('a')).rejects.toThrow('no tags today')
    await expect(get.many([['a']])).rejects.toThrow('no tags today')
    tags.fail = false
    expect(await get('a')).toBe('v1')
  })

  function tagged(options: object) {
    const world = aWorld()
    const origin = versions()
    const cache = world.cache(options)
    const tags = { fail: false, calls: 0, errors: [] as string[] }
    cache.on('error', ({ kind, error }) => tags.errors.push(`${kind}: ${(error as Error).message}`))
    const get = cache.cached(origin.load, {
      name: 'fn',
      tags: () => {
        tags.calls++
        if (tags.fail) throw new Error('no tags today')
        return ['t']
      },
    })
    return { clock: world.clock, get, origin, tags }
  }
})
