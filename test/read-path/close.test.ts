import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, versions, watch } from './fixture.ts'

endWorldsAfterEach()

describe('close()', () => {
  it('lets loads under way end, and their callers have the value', async () => {
    const world = aWorld()
    const origin = new Origin()
    const cache = world.cache()
    const call = watch(cache.cached(origin.load)('a'))
    await settle()
    const closing = watch(cache.close())
    await world.clock.advance('4s')
    expect(closing.state).toBe('pending')
    await origin.answer('value')
    expect([call.value, closing.state]).toEqual(['value', 'fulfilled'])
  })

  it('lets refreshes in the background end', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const cache = world.cache()
    const get = cache.cached(origin.load, { grace: '1h' })
    await get('a')
    origin.hold()
    await world.clock.advance('11s')
    await get('a')
    await settle()
    const closing = watch(cache.close())
    await settle()
    expect(closing.state).toBe('pending')
    await origin.answer('new')
    expect(closing.state).toBe('fulfilled')
  })

  it('lets writes to L2 end', async () => {
    const world = aWorld()
    const store = memory()
    const cache = world.cache({ l2: store })
    const call = cache.cached(versions().load, { name: 'fn' })('a')
    await call
    await cache.close()
    const origin = new Origin(() => expect.fail('it is in L2'))
    expect(await world.cache({ l2: store }).cached(origin.load, { name: 'fn' })('a')).toBe('v1')
  })

  it('aborts what is left at the deadline', async () => {
    const world = aWorld()
    const origin = new Origin()
    const cache = world.cache()
    const get = cache.cached(origin.loadWithContext, { context: true })
    const call = watch(get('a'))
    await settle()
    const closing = watch(cache.close({ deadline: '2s' }))
    await world.clock.advance(1999)
    expect([call.state, closing.state]).toEqual(['pending', 'pending'])
    await world.clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_CLOSED' })
    expect(origin.calls[0]?.context?.signal.aborted).toBe(true)
    expect(closing.state).toBe('fulfilled')
  })

  it('aborts loads that were overtaken by an invalidation too', async () => {
    const world = aWorld()
    const origin = new Origin()
    const cache = world.cache()
    const get = cache.cached(origin.load)
    const call = watch(get('a'))
    await settle()
    await get.invalidate('a')
    const closing = watch(cache.close({ deadline: '2s' }))
    await world.clock.advance('2s')
    expect(call.error).toMatchObject({ code: 'ERR_CLOSED' })
    expect(closing.state).toBe('fulfilled')
  })

  it('has a deadline of 5 s', async () => {
    const world = aWorld()
    const cache = world.cache()
    const code = codeOf(cache.cached(new Origin().load)('a'))
    await settle()
    const closing = watch(cache.close())
    await world.clock.advance(4999)
    expect(closing.state).toBe('pending')
    await world.clock.advance(1)
    expect(closing.state).toBe('fulfilled')
    expect(await code).toBe('ERR_CLOSED')
  })

  it('makes every later call reject with ERR_CLOSED', async () => {
    const cache = aWorld().cache()
    const get = cache.cached(versions().load)
    await get('a')
    await cache.close()
    const calls = [
      get('a'),
      get('b'),
      get.refresh('a'),
      get.detail('a'),
      get.many([['a']]),
      get.set(['a'], 'x'),
      get.invalidate('a'),
      get.clear(),
      cache.getOrSet('k', () => 1),
      cache.get('k'),
      cache.getMany(['k']),
      cache.set('k', 1),
      cache.delete('k'),
      cache.invalidateTag('t'),
      cache.expireTag('t'),
      cache.clear(),
      cache.cached(versions().load)('a'),
    ]
    const codes = await Promise.all(calls.map(codeOf))
    expect(codes).toEqual(calls.map(() => 'ERR_CLOSED'))
    expect(get.peek('a')).toBeUndefined()
    expect(cache.health().status).toBe('down')
  })

  it('leaves nothing in L1, not even what a load brings while it drains', async () => {
    const world = aWorld()
    const origin = new Origin()
    const cache = world.cache()
    const call = watch(cache.cached(origin.load)('a'))
    await settle()
    const closing = cache.close()
    await origin.answer('value')
    await closing
    expect(call.value).toBe('value')
    expect(cache.stats().entries).toBe(0)
  })

  it('may be called twice, and is what `await using` calls', async () => {
    const world = aWorld()
    {
      await using cache = world.cache()
      await cache.set('a', 1)
      await cache.close()
    }
    expect(world.caches[0]?.health().status).toBe('down')
  })

  it('stops renewing the leases of an origin that never ends', async () => {
    const world = aWorld()
    const cache = world.cache({ l2: memory() })
    const code = codeOf(cache.cached(new Origin().load, { name: 'fn' })('a'))
    await settle()
    const closing = cache.close({ deadline: '1s' })
    await world.clock.advance('10s')
    await closing
    expect(await code).toBe('ERR_CLOSED')
    expect(world.clock.pending).toBe(0)
  })
})
