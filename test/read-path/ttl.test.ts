import { describe, expect, it } from 'vitest'
import type { Duration } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, Origin, versions } from './fixture.ts'

endWorldsAfterEach()

describe('ttl', () => {
  it('serves a value without the origin until its ttl has passed', async () => {
    const { clock, ...world } = withOrigin({ ttl: 5000 })
    expect(await world.get('a')).toBe('v1')
    await clock.advance(4999)
    expect(await world.get('a')).toBe('v1')
    await clock.advance(1)
    expect(await world.get('a')).toBe('v2')
  })

  it('takes a ttl as text', async () => {
    const { clock, ...world } = withOrigin({ ttl: '2h' })
    await world.get('a')
    await clock.advance('119m')
    expect(await world.get('a')).toBe('v1')
    await clock.advance('1m')
    expect(await world.get('a')).toBe('v2')
  })

  it('takes a ttl from the value', async () => {
    const ttls: string[] = []
    const { clock, ...world } = withOrigin({
      ttl: (value) => {
        ttls.push(value)
        return value === 'v1' ? '1s' : '1m'
      },
    })
    await world.get('a')
    await clock.advance('1s')
    expect(await world.get('a')).toBe('v2')
    await clock.advance('59s')
    expect(await world.get('a')).toBe('v2')
    expect(ttls).toEqual(['v1', 'v2'])
  })

  it('returns a value whose ttl function gives nonsense, does not store it and says so', async () => {
    const { cache, origin, ...world } = withOrigin({ ttl: () => 'soon' as Duration })
    const kinds: string[] = []
    cache.on('error', (event) => kinds.push(event.kind))
    expect(await world.get('a')).toBe('v1')
    expect(await world.get('a')).toBe('v2')
    expect(kinds).toEqual(['ttl', 'ttl'])
    expect(origin.count).toBe(2)
  })

  it('returns a value whose ttl function throws, and does not store it', async () => {
    const { origin, ...world } = withOrigin({
      ttl: () => {
        throw new Error('no idea')
      },
    })
    expect(await world.get('a')).toBe('v1')
    expect(await world.get('a')).toBe('v2')
    expect(origin.count).toBe(2)
  })

  it('keeps a value with an infinite ttl for ever', async () => {
    const { clock, ...world } = withOrigin({ ttl: Number.POSITIVE_INFINITY })
    await world.get('a')
    await clock.advance('100000d')
    expect(await world.get('a')).toBe('v1')
  })

  it('counts a ttl beyond 2^31 ms to the millisecond', async () => {
    const ttl = 2 ** 31 + 5
    const { clock, ...world } = withOrigin({ ttl })
    await world.get('a')
    await clock.advance(ttl - 1)
    expect(await world.get('a')).toBe('v1')
    await clock.advance(1)
    expect(await world.get('a')).toBe('v2')
  })

  it('counts a ttl below a second to the millisecond', async () => {
    const { clock, ...world } = withOrigin({ ttl: 7 })
    await world.get('a')
    await clock.advance(6)
    expect(await world.get('a')).toBe('v1')
    await clock.advance(1)
    expect(await world.get('a')).toBe('v2')
  })

  it('stores nothing with a ttl of 0', async () => {
    const { cache, ...world } = withOrigin({ ttl: 0 })
    await world.get('a')
    expect(await world.get('a')).toBe('v2')
    expect(cache.stats().entries).toBe(0)
  })

  it('takes the ttl of the cache where the function names none', async () => {
    const world = aWorld()
    const get = world.cache({ ttl: '3s' }).cached(versions().load)
    await get('a')
    await world.clock.advance(2999)
    expect(await get('a')).toBe('v1')
    await world.clock.advance(1)
    expect(await get('a')).toBe('v2')
  })

  it('counts from the end of the load, not from its start', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache({ ttl: '10s' }).cached(origin.load)
    const first = get('a')
    await world.clock.advance('8s')
    await origin.answer('slow')
    expect(await first).toBe('slow')
    await world.clock.advance('9s')
    expect(await get('a')).toBe('slow')
  })

  it.each([undefined, null, 0, '', false, Number.NaN])(
    'remembers %s like any other value',
    async (value) => {
      const origin = new Origin<unknown>(() => value)
      const get = aWorld().cache().cached(origin.load)
      expect(await get('a')).toBe(value)
      expect(await get('a')).toBe(value)
      expect(origin.count).toBe(1)
    },
  )
})

describe('jitter', () => {
  it.each([
    ['leaves the ttl as it is where chance says 0', 0, 10_000],
    ['takes up to a tenth off the ttl', 0.999_999, 9000],
    ['takes half of that in the middle', 0.5, 9500],
  ])('%s', async (_, chance, expected) => {
    const { clock, ...world } = withOrigin({ ttl: '10s' }, { random: () => chance, jitter: 0.1 })
    await world.get('a')
    await clock.advance(expected - 1)
    expect(await world.get('a')).toBe('v1')
    await clock.advance(2)
    expect(await world.get('a')).toBe('v2')
  })

  it('is a tenth unless told otherwise', async () => {
    const { clock, ...world } = withOrigin(
      { ttl: '10s' },
      { random: () => 0.999, jitter: undefined },
    )
    await world.get('a')
    await clock.advance(8990)
    expect(await world.get('a')).toBe('v1')
    await clock.advance(20)
    expect(await world.get('a')).toBe('v2')
  })
})

describe('negativeTtl', () => {
  it.each([null, undefined])('is the ttl of %s', async (value) => {
    const origin = new Origin<unknown>(() => value)
    const world = aWorld()
    const get = world.cache().cached(origin.load, { ttl: '1h', negativeTtl: '2s' })
    await get('a')
    await world.clock.advance(1999)
    await get('a')
    expect(origin.count).toBe(1)
    await world.clock.advance(1)
    await get('a')
    expect(origin.count).toBe(2)
  })

  it.each([0, '', false])('does not concern %j', async (value) => {
    const origin = new Origin<unknown>(() => value)
    const world = aWorld()
    const get = world.cache().cached(origin.load, { ttl: '1h', negativeTtl: '2s' })
    await get('a')
    await world.clock.advance('3s')
    await get('a')
    expect(origin.count).toBe(1)
  })
})

function withOrigin(
  options: { ttl: Duration | ((value: string) => Duration) },
  cacheOptions: { random?: () => number; jitter?: number | undefined } = {},
) {
  const world = aWorld()
  const origin = versions()
  const { random = () => 0.5 } = cacheOptions
  const jitter = 'jitter' in cacheOptions ? cacheOptions.jitter : 0
  const cache = world.cache({ random })
  const get = cache.cached(origin.load, { ...options, jitter: jitter ?? 0.1 })
  return { clock: world.clock, cache, origin, get }
}
