import { describe, expect, it } from 'vitest'
import { type Cache, memory } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, settle, versions } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

endWorldsAfterEach()

/** A store whose clock a test can set. */
function setUp() {
  const world = aWorld()
  const clock = { setBackMs: 0 }
  const store = altered(memory(), (session) => ({
    async read(request) {
      const reply = await session.read(request)
      return { ...reply, now: reply.now - clock.setBackMs }
    },
  }))
  const origin = versions()
  const process = () => {
    const cache = world.cache({ l2: store, ttl: '1h', l1: { ttl: '5s' } })
    return { cache, get: cache.cached(origin.load, { name: 'fn' }) }
  }
  return { world, clock, origin, process }
}

const kindsOf = (cache: Cache): string[] => {
  const kinds: string[] = []
  cache.on('error', ({ kind }) => kinds.push(kind))
  return kinds
}

describe('an entry that is newer than the clock of its store', () => {
  it('is a miss, counted, and replaced', async () => {
    const { clock, process } = setUp()
    expect(await process().get('a')).toBe('v1')
    await settle()
    clock.setBackMs = 60_000
    const { cache, get } = process()
    const kinds = kindsOf(cache)
    expect(await get('a')).toBe('v2')
    expect(kinds).toEqual(['entry-future'])
    await settle()
    expect(await process().get('a')).toBe('v2')
  })

  it('does not confirm a copy', async () => {
    const { world, clock, process } = setUp()
    const { cache, get } = process()
    const kinds = kindsOf(cache)
    expect(await get('a')).toBe('v1')
    await settle()
    await world.clock.advance('6s')
    clock.setBackMs = 60_000
    expect(await get('a')).toBe('v2')
    expect(kinds).toEqual(['entry-future'])
  })

  it('by no more than clocks differ is served', async () => {
    const { clock, process } = setUp()
    await process().get('a')
    await settle()
    clock.setBackMs = 4900
    expect(await process().get('a')).toBe('v1')
  })
})
