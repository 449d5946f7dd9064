import { describe, expect, it } from 'vitest'
import { createCache, type GetOrSetOptions } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

function setUp() {
  const clock = new FakeClock()
  return { clock, cache: createCache({ clock, jitter: 0, refreshAhead: false, ttl: '1m' }) }
}

describe('an options object that getOrSet is handed again', () => {
  it('counts as it is now', async () => {
    const { cache, clock } = setUp()
    const options: GetOrSetOptions<number> = { tags: ['one'] }
    await cache.getOrSet('a', () => 1, options)
    options.tags = ['two']
    await cache.getOrSet('b', () => 1, options)
    options.ttl = '2s'
    await cache.getOrSet('c', () => 1, options)
    await cache.invalidateTag('two')
    const left = await cache.getMany(['a', 'b', 'c'])
    expect(left).toEqual([1, undefined, undefined])
    await cache.getOrSet('c', () => 2, options)
    await clock.advance('3s')
    expect(await cache.get('c')).toBeUndefined()
    delete options.ttl
    await cache.getOrSet('c', () => 3, options)
    await clock.advance('3s')
    expect(await cache.get('c')).toBe(3)
  })

  it('is checked again when a member has changed', async () => {
    const { cache } = setUp()
    const options: GetOrSetOptions<number> = {}
    await cache.getOrSet('a', () => 1, options)
    options.tags = 'text' as never
    await expect(cache.getOrSet('a', () => 1, options)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    })
  })
})

it('the options of a wrapped function are those it was wrapped with', async () => {
  const { cache } = setUp()
  const options: { key?: (id: number) => unknown } = { key: (id) => id % 2 }
  const fn = cache.cached(async (id: number) => id, options)
  await fn(1)
  options.key = (id) => id
  expect(await fn(3)).toBe(1)
})
