import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

const COUNT = 1000

/** A store that does not answer the reads of some keys. */
function setUp() {
  const world = aWorld()
  const sizes: number[] = []
  const silent = new Set<string>()
  const ends: string[] = []
  const data = memory()
  const l2 = altered(data, (session) => ({
    async read(request) {
      const { keys } = request
      if (keys.length > 0) sizes.push(keys.length)
      const isSilent = keys.some((key) => [...silent].some((end) => key.endsWith(end)))
      return isSilent ? new Promise(() => {}) : session.read(request)
    },
    release(key, token, end) {
      ends.push(key)
      return session.release(key, token, end)
    },
  }))
  const origins: string[][] = []
  const process = (store = l2) => {
    const cache = world.cache({ l2: store })
    const get = cache.cached(async (id: string) => id, {
      name: 'fn',
      manyOrigin: async (lists) => {
        const ids = lists.map(([id]) => id)
        origins.push(ids)
        return ids
      },
    })
    return { cache, get }
  }
  return { world, sizes, silent, ends, origins, process, data }
}

const names = Array.from({ length: COUNT }, (_, at) => `k${String(at).padStart(4, '0')}.`)

describe('a read of many keys', () => {
  it('is several operations of at most 256 keys, and one call of manyOrigin', async () => {
    const { sizes, origins, process } = setUp()
    const { get } = process()
    expect(await get.many(names.map((name) => [name]))).toEqual(names)
    expect(sizes).toEqual([256, 256, 256, 232])
    expect(origins.map((ids) => ids.length)).toEqual([COUNT])
    await settle()
    expect(await process().get.many(names.map((name) => [name]))).toEqual(names)
    expect(origins).toHaveLength(1)
  })

  it('uses what L2 has answered of it by the deadline, and loads the rest', async () => {
    const { world, silent, ends, origins, process } = setUp()
    await process().get.many(names.map((name) => [name]))
    await settle()
    silent.add('k0300.')
    const { get, cache } = process()
    const read = get.many(names.map((name) => [name]))
    await world.clock.advance(50)
    expect(await read).toEqual(names)
    expect(origins[1]).toEqual(names.slice(256, 512))
    expect([cache.stats().l2Errors, ends]).toEqual([1, []])
  })

  it('by getMany() is answered part by part, too', async () => {
    const { world, sizes, silent, process } = setUp()
    const { cache } = process()
    for (const name of names) await cache.set(name, name)
    await world.clock.advance('6s')
    sizes.length = 0
    silent.add('k0300.')
    const copies = cache.getMany(names)
    await world.clock.advance(50)
    expect(await copies).toEqual(names)
    const other = process().cache.getMany(names)
    await world.clock.advance(50)
    const isMissing = (at: number): boolean => at >= 256 && at < 512
    expect(await other).toEqual(names.map((name, at) => (isMissing(at) ? undefined : name)))
    expect(Math.max(...sizes)).toBe(256)
  })
})
