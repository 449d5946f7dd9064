import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const cache = createCache({ ttl: '1m', clock: new FakeClock() })

describe.each([5, 'text', { id: 1 }, null, 'a ~ within', '~begins'])('the argument %j', (id) => {
  type Call = (id: unknown, more?: unknown, most?: unknown) => Promise<number>

  it('is the same call with undefined after it, for every method', async () => {
    let calls = 0
    const get = cache.cached(async (..._: Parameters<Call>) => ++calls)
    expect([await get(id), await get(id, undefined), await get(id, undefined, undefined)]).toEqual([
      1, 1, 1,
    ])
    expect(get.peek(id, undefined)).toBe(1)
    expect(get.key(id, undefined)).toBe(get.key(id))
    await get.invalidate(id)
    expect(get.peek(id, undefined)).toBeUndefined()
    expect(await get(id, undefined)).toBe(2)
    await get.invalidate(id, undefined)
    expect(get.peek(id)).toBeUndefined()
    await get.set([id, undefined], 7)
    expect(await get(id)).toBe(7)
    expect(cache.stats().entries).toBe(get.stats().entries)
    expect(get.stats().entries).toBe(1)
    get.dispose()
  })

  it('is another call with something between', async () => {
    const get = cache.cached(async (...args: Parameters<Call>) => args.length)
    expect([await get(id), await get(id, undefined, null)]).toEqual([1, 3])
    get.dispose()
  })
})

it('no argument is the same call as undefined', async () => {
  let calls = 0
  const get = cache.cached(async (_?: undefined) => ++calls)
  expect([await get(), await get(undefined)]).toEqual([1, 1])
})
