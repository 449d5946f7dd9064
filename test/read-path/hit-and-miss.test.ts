import { describe, expect, it } from 'vitest'
import { type Cache, memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, versions, watch } from './fixture.ts'

endWorldsAfterEach()

describe('the events hit and miss', () => {
  it('a value that L2 has is a hit and no miss', async () => {
    const world = aWorld()
    const l2 = memory()
    await world.cache({ l2 }).cached(versions().load, { name: 'fn' })('a')
    await settle()
    const other = world.cache({ l2 })
    const seen = listen(other)
    await other.cached(versions().load, { name: 'fn' })('a')
    expect(seen).toEqual(['hit l2'])
  })

  it('what another process is loading is a hit when it brings it', async () => {
    const world = aWorld()
    const l2 = memory()
    const origin = new Origin()
    const first = watch(world.cache({ l2 }).cached(origin.load, { name: 'fn' })('a'))
    await settle()
    const other = world.cache({ l2 })
    const seen = listen(other)
    const second = watch(other.cached(versions().load, { name: 'fn' })('a'))
    await settle()
    await origin.answer('theirs')
    await world.clock.advance('1s')
    expect([first.value, second.value]).toEqual(['theirs', 'theirs'])
    expect(seen).toEqual(['hit l2'])
  })

  it('a missing value is a miss, once for all who wait for it', async () => {
    const cache = aWorld().cache({ l2: memory() })
    const seen = listen(cache)
    const get = cache.cached(versions().load, { name: 'fn' })
    await Promise.all([get('a'), get('a')])
    expect(seen).toEqual(['miss'])
  })

  it('a stale value that L2 has is neither', async () => {
    const world = aWorld()
    const l2 = memory()
    await world.cache({ l2, grace: '1h' }).cached(versions().load, { name: 'fn' })('a')
    await world.clock.advance('11s')
    const other = world.cache({ l2, grace: '1h' })
    const seen = listen(other)
    await other.cached(versions().load, { name: 'fn' })('a')
    await settle()
    expect(seen).toEqual(['stale'])
  })

  it('get and getMany tell of each key', async () => {
    const world = aWorld()
    const l2 = memory()
    const cache = world.cache({ l2 })
    await cache.set('here', 1)
    await world.cache({ l2 }).set('there', 2)
    const seen = listen(cache)
    await cache.get('here')
    await cache.get('none')
    expect(seen.splice(0)).toEqual(['hit l1', 'miss'])
    await cache.getMany(['here', 'there', 'none', 'there'])
    expect(seen).toEqual(['hit l1', 'hit l2', 'miss', 'hit l2'])
  })

  it('a copy that cannot be compared with a lost L2 is a hit', async () => {
    const world = aWorld()
    const store = chaosStore(memory())
    const cache = world.cache({ l2: store, l1: { ttl: '2s' } })
    const get = cache.cached(versions().load, { name: 'fn' })
    await get('a')
    await world.clock.advance('3s')
    store.set({ throws: 1 })
    const seen = listen(cache)
    expect(await get.detail('a')).toMatchObject({ outcome: 'degraded' })
    expect(seen).toEqual(['hit l1'])
  })

  function listen(cache: Cache): string[] {
    const seen: string[] = []
    cache.on('hit', ({ level }) => seen.push(`hit ${level}`))
    cache.on('miss', () => seen.push('miss'))
    cache.on('stale', () => seen.push('stale'))
    return seen
  }
})
