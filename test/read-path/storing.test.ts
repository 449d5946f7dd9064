import { describe, expect, it } from 'vitest'
import { aWorld, endWorldsAfterEach, Origin, settle, versions } from './fixture.ts'

endWorldsAfterEach()

describe('what is stored', () => {
  it('returns but does not store what cacheIf refuses', async () => {
    const get = aWorld()
      .cache()
      .cached(versions().load, { cacheIf: (value) => value !== 'v1' })
    expect(await get('a')).toBe('v1')
    expect(await get('a')).toBe('v2')
    expect(await get('a')).toBe('v2')
  })

  it('returns a value whose cacheIf throws, does not store it and says so', async () => {
    const cache = aWorld().cache()
    const errors: unknown[] = []
    cache.on('error', ({ error }) => errors.push(error))
    const bug = new Error('a bug in cacheIf')
    const get = cache.cached(versions().load, {
      cacheIf: () => {
        throw bug
      },
    })
    expect(await get('a')).toBe('v1')
    expect(await get('a')).toBe('v2')
    expect(errors).toEqual([bug, bug])
  })

  it('keeps the stale value when cacheIf refuses the fresh one', async () => {
    const world = aWorld()
    const get = world.cache().cached(versions().load, { grace: '1h', cacheIf: (v) => v === 'v1' })
    await get('a')
    await world.clock.advance('11s')
    expect(await get('a')).toBe('v1')
    await settle()
    expect(await get('a')).toBe('v1')
  })

  it('returns but does not store after skip()', async () => {
    const origin = new Origin()
    const get = aWorld().cache().cached(origin.loadWithContext, { context: true })
    const first = get('a')
    await settle()
    origin.calls[0]?.context?.skip()
    await origin.answer('once')
    expect(await first).toBe('once')
    expect(get.peek('a')).toBeUndefined()
  })

  it('takes the ttl that the origin gives with setTtl', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache().cached(origin.loadWithContext, { context: true, ttl: '1h' })
    const first = get('a')
    await settle()
    origin.calls[0]?.context?.setTtl('2s')
    await origin.answer('v1')
    expect(await first).toBe('v1')
    await world.clock.advance(1999)
    expect(get.peek('a')).toBe('v1')
    await world.clock.advance(1)
    expect(get.peek('a')).toBeUndefined()
  })

  it('fails a load whose origin gives a wrong ttl with setTtl', async () => {
    const get = aWorld()
      .cache()
      .cached((context: { setTtl(ttl: never): void }) => context.setTtl('later' as never), {
        context: true,
      })
    await expect(get()).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  })

  it('adds the tags that the origin gives with setTags to the declared ones', async () => {
    const cache = aWorld().cache()
    const origin = new Origin()
    const get = cache.cached(origin.loadWithContext, { context: true, tags: () => ['declared'] })
    for (const tag of ['declared', 'found']) {
      const loading = get('a')
      await settle()
      origin.waiting[0]?.context?.setTags(['found'])
      await origin.answer('value')
      await loading
      expect(get.peek('a')).toBe('value')
      await cache.invalidateTag(tag)
      expect(get.peek('a')).toBeUndefined()
    }
  })

  it('hands the origin the stale value', async () => {
    const world = aWorld()
    const origin = new Origin((_, count) => `v${count}`)
    const get = world.cache().cached(origin.loadWithContext, { context: true, grace: '1h' })
    await get('a')
    expect(origin.calls[0]?.context?.stale).toBeUndefined()
    await world.clock.advance('11s')
    await get('a')
    await settle()
    expect(origin.calls[1]?.context?.stale).toBe('v1')
  })

  it('puts the context before the arguments of the origin', async () => {
    const get = aWorld()
      .cache()
      .cached(
        (context: { signal: AbortSignal }, a: number, b: number) => [context.signal.aborted, a, b],
        {
          context: true,
        },
      )
    expect(await get(1, 2)).toEqual([false, 1, 2])
  })

  it('stores a value put in by hand over the one that was there', async () => {
    const cache = aWorld().cache()
    const origin = versions()
    const get = cache.cached(origin.load)
    await get('a')
    expect(await get.set(['a'], 'by hand')).toEqual({ durable: true })
    expect(await get('a')).toBe('by hand')
    expect(origin.count).toBe(1)
  })

  it('gives a value put in by hand the ttl and the tags that came with it', async () => {
    const world = aWorld()
    const cache = world.cache()
    await cache.set('a', 1, { ttl: '1s' })
    await cache.set('b', 2, { tags: ['t'] })
    await cache.invalidateTag('t')
    expect(await cache.getMany(['a', 'b'])).toEqual([1, undefined])
    await world.clock.advance('1s')
    expect(await cache.get('a')).toBeUndefined()
  })

  it('gives a value put in by hand the declared tags of its function', async () => {
    const cache = aWorld().cache()
    const get = cache.cached(versions().load, { tags: (id) => [`id:${id}`] })
    await get.set(['a'], 'by hand')
    await cache.invalidateTag('id:a')
    expect(get.peek('a')).toBeUndefined()
  })
})

describe('errors of the origin', () => {
  it('are not stored', async () => {
    const origin = new Origin<string>()
    origin.failWith(new Error('down'))
    const get = aWorld().cache().cached(origin.load)
    await expect(get('a')).rejects.toThrow('down')
    await expect(get('a')).rejects.toThrow('down')
    expect(origin.count).toBe(2)
  })

  it('are handed out again for errorTtl, as the same object', async () => {
    const world = aWorld()
    const origin = new Origin<string>()
    const error = new Error('down')
    origin.failWith(error)
    const get = world.cache().cached(origin.load, { errorTtl: '2s' })
    await expect(get('a')).rejects.toBe(error)
    await world.clock.advance(1999)
    await expect(get('a')).rejects.toBe(error)
    expect(origin.count).toBe(1)
    origin.replyWith(() => 'up')
    await world.clock.advance(1)
    expect(await get('a')).toBe('up')
  })

  it('are not shown by peek, nor by peekEntry', async () => {
    const origin = new Origin<string>()
    origin.failWith(new Error('down'))
    const get = aWorld().cache().cached(origin.load, { errorTtl: '2s' })
    await expect(get('a')).rejects.toThrow('down')
    expect(get.peek('a')).toBeUndefined()
    expect(get.peekEntry('a')).toBeUndefined()
  })

  it('do not survive an invalidation of their tag, whatever errorTtl says', async () => {
    const cache = aWorld().cache()
    const origin = new Origin<string>()
    origin.failWith(new Error('down'))
    const get = cache.cached(origin.load, { errorTtl: '1h', tags: () => ['t'] })
    await expect(get('a')).rejects.toThrow('down')
    origin.replyWith(() => 'up')
    await cache.invalidateTag('t')
    expect(await get('a')).toBe('up')
  })

  it('have no grace: after errorTtl the origin is asked', async () => {
    const world = aWorld()
    const origin = new Origin<string>()
    origin.failWith(new Error('down'))
    const get = world.cache().cached(origin.load, { errorTtl: '2s', grace: '1h' })
    await expect(get('a')).rejects.toThrow('down')
    origin.replyWith(() => 'up')
    await world.clock.advance('2s')
    expect(await get('a')).toBe('up')
  })

  it('thrown by a function that is not async reject the call', async () => {
    const get = aWorld()
      .cache()
      .cached((): string => {
        throw new TypeError('at once')
      })
    await expect(get()).rejects.toThrow(TypeError)
  })
})
