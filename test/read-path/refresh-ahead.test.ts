import { describe, expect, it } from 'vitest'
import type { CacheOptions, FunctionOptions } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

/** An entry of 100 s whose load took one second. */
async function withEntry(
  options: FunctionOptions<[id?: string], string> = {},
  cacheOptions: CacheOptions = {},
) {
  const world = aWorld()
  const origin = new Origin()
  const cache = world.cache(cacheOptions)
  const get = cache.cached(origin.load, { ttl: '100s', refreshAhead: 0.9, ...options })
  const first = get('a')
  await world.clock.advance('1s')
  await origin.answer('v1')
  await first
  return { clock: world.clock, cache, origin, get }
}

describe('refresh-ahead', () => {
  it('begins a refresh at the first read after nine tenths of the ttl', async () => {
    const { clock, origin, get } = await withEntry()
    await clock.advance(89_999)
    await get('a')
    await settle()
    expect(origin.count).toBe(1)
    await clock.advance(1)
    expect(await get('a')).toBe('v1')
    await settle()
    expect(origin.count).toBe(2)
  })

  it('serves the value without waiting until the refresh has stored the next', async () => {
    const { clock, origin, get } = await withEntry()
    await clock.advance('95s')
    expect(await Promise.all([get('a'), get('a')])).toEqual(['v1', 'v1'])
    expect(await get('a')).toBe('v1')
    await settle()
    await origin.answer('v2')
    expect(await get('a')).toBe('v2')
    expect(origin.count).toBe(2)
  })

  it('takes the share of the ttl that it is given', async () => {
    const { clock, origin, get } = await withEntry({ refreshAhead: 0.5 })
    await clock.advance(49_999)
    await get('a')
    await settle()
    expect(origin.count).toBe(1)
    await clock.advance(1)
    await get('a')
    await settle()
    expect(origin.count).toBe(2)
  })

  it('begins earlier by XFetch, the likelier the nearer the end and the slower the origin', async () => {
    // loadMs × -ln(random) reaches the 20 s that are left at e^-20 for a load of one second.
    const chance = { value: Math.exp(-19.9) }
    const { clock, origin, get } = await withEntry({}, { random: () => chance.value })
    await clock.advance('80s')
    await get('a')
    await settle()
    expect(origin.count).toBe(1)
    chance.value = Math.exp(-20.1)
    await get('a')
    await settle()
    expect(origin.count).toBe(2)
  })

  it('never begins before the last quarter of the ttl, whatever chance says', async () => {
    const { clock, origin, get } = await withEntry({}, { random: () => Number.MIN_VALUE })
    await clock.advance('75s')
    await get('a')
    await settle()
    expect(origin.count).toBe(1)
    await clock.advance(1)
    await get('a')
    await settle()
    expect(origin.count).toBe(2)
  })

  it('is on by default', async () => {
    const { clock, origin, get } = await withEntry(
      { refreshAhead: undefined as never },
      {
        refreshAhead: undefined as never,
      },
    )
    await clock.advance('90s')
    await get('a')
    await settle()
    expect(origin.count).toBe(2)
  })

  it('does not happen with false', async () => {
    const { clock, origin, get } = await withEntry(
      { refreshAhead: false },
      { random: () => Number.MIN_VALUE },
    )
    await clock.advance(99_999)
    await get('a')
    await settle()
    expect(origin.count).toBe(1)
  })

  it('does not happen to an entry without end', async () => {
    const { clock, origin, get } = await withEntry({ ttl: Number.POSITIVE_INFINITY })
    await clock.advance('1000d')
    await get('a')
    await settle()
    expect(origin.count).toBe(1)
  })

  it('does not begin anew while it backs off from a failed one', async () => {
    const { clock, origin, get } = await withEntry({ graceBackoff: '3s' })
    await clock.advance('90s')
    await get('a')
    await settle()
    await origin.fail(new Error('down'))
    await clock.advance(2999)
    await get('a')
    await settle()
    expect(origin.count).toBe(2)
    await clock.advance(1)
    await get('a')
    await settle()
    expect(origin.count).toBe(3)
  })

  it('never rejects anybody who read a fresh value', async () => {
    const { clock, cache, origin, get } = await withEntry()
    const kinds: string[] = []
    cache.on('error', ({ kind }) => kinds.push(kind))
    await clock.advance('95s')
    const reads = [get('a'), get('a')]
    await settle()
    await origin.fail(new Error('down'))
    expect(await Promise.all(reads)).toEqual(['v1', 'v1'])
    expect(await get('a')).toBe('v1')
    expect(kinds).toEqual(['refresh'])
  })

  it('is joined by those who come after the ttl', async () => {
    const { clock, origin, get } = await withEntry()
    await clock.advance('95s')
    await get('a')
    await clock.advance('6s')
    const late = watch(get('a'))
    await settle()
    expect(late.state).toBe('pending')
    await origin.answer('v2')
    expect(late.value).toBe('v2')
    expect(origin.count).toBe(2)
  })

  it('gives the next entry a ttl of its own', async () => {
    const { clock, origin, get } = await withEntry()
    await clock.advance('95s')
    await get('a')
    await settle()
    await origin.answer('v2')
    await clock.advance('89s')
    expect(await get('a')).toBe('v2')
    await settle()
    expect(origin.count).toBe(2)
  })
})
