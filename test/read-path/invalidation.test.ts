import { describe, expect, it } from 'vitest'
import type { Cache, CachedFunction, LoadContext } from '../../src/index.ts'
import { memory } from '../../src/index.ts'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

type Get = CachedFunction<[id?: string], string>

interface Way {
  readonly name: string
  readonly run: (cache: Cache, get: Get) => Promise<{ durable: boolean }>
}

const hard: readonly Way[] = [
  { name: 'invalidate', run: (_, get) => get.invalidate('a') },
  { name: 'invalidateTag of a declared tag', run: (cache) => cache.invalidateTag('id:a') },
  { name: 'invalidateTag of a tag from setTags', run: (cache) => cache.invalidateTag('dynamic') },
  { name: 'clear of the function', run: (_, get) => get.clear() },
  { name: 'clear of the cache', run: (cache) => cache.clear() },
]
const soft: Way = { name: 'expireTag', run: (cache) => cache.expireTag('id:a') }
const set: Way = { name: 'set', run: (_, get) => get.set(['a'], 'by hand') }

function setUp(withL2 = false) {
  const world = aWorld()
  const store = memory()
  const origin = new Origin()
  const cache = world.cache(withL2 ? { l2: store } : {})
  const get = cache.cached(
    (context: LoadContext<string>, id?: string) => {
      context.setTags(['dynamic'])
      return origin.loadWithContext(context, id)
    },
    { name: 'fn', context: true, tags: (id) => [`id:${id}`], grace: '1h', softTimeout: '1s' },
  )
  /** Another process: what it finds in L2 tells what was stored there. */
  const elsewhere = () => {
    const other = new Origin(() => 'loaded elsewhere')
    const copy = world.cache({ l2: store }).cached(other.load, {
      name: 'fn',
      tags: (id) => [`id:${id}`],
    })
    return copy('a')
  }
  return { clock: world.clock, cache, origin, get, elsewhere }
}

async function load({ origin, get }: { origin: Origin; get: Get }, value: string): Promise<void> {
  const call = get('a')
  await settle()
  await origin.answer(value)
  expect(await call).toBe(value)
}

describe('after an invalidation', () => {
  it.each(hard)(
    '$name: a fresh value is not served again, not even when the origin fails',
    async (way) => {
      const world = setUp()
      await load(world, 'old')
      expect(await way.run(world.cache, world.get)).toEqual({ durable: true })
      expect(world.get.peek('a')).toBeUndefined()
      const call = watch(world.get('a'))
      await settle()
      await world.origin.fail(new Error('down'))
      expect(call.error).toEqual(new Error('down'))
    },
  )

  it.each(hard)('$name: a stale value is not served again', async (way) => {
    const world = setUp()
    await load(world, 'old')
    await world.clock.advance('11s')
    await way.run(world.cache, world.get)
    const call = watch(world.get('a'))
    await world.clock.advance('5s')
    expect(call.state).toBe('pending')
    await world.origin.answer('new')
    expect(call.value).toBe('new')
  })

  it('expireTag leaves the value its grace', async () => {
    const world = setUp()
    await load(world, 'old')
    await world.cache.expireTag('id:a')
    expect(world.get.peek('a')).toBeUndefined()
    const call = watch(world.get('a'))
    await settle()
    await world.origin.fail(new Error('down'))
    expect(call.value).toBe('old')
  })

  it('expireTag makes a value without grace unusable', async () => {
    const cache = aWorld().cache()
    const origin = new Origin((_, count) => `v${count}`)
    const get = cache.cached(origin.load, { tags: () => ['t'] })
    await get('a')
    await cache.expireTag('t')
    expect(await get('a')).toBe('v2')
  })

  it('delete of a key leaves nothing for get, nor for getOrSet', async () => {
    const cache = aWorld().cache({ grace: '1h' })
    await cache.set('k', 'old')
    expect(await cache.delete('k')).toEqual({ durable: true })
    expect(await cache.get('k')).toBeUndefined()
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow(
      'down',
    )
  })

  it('entries with other tags, other arguments and of other functions are still there', async () => {
    const world = setUp()
    await load(world, 'old')
    const other = world.cache.cached(new Origin(() => 'other').load, { name: 'other' })
    await other('a')
    await world.get.invalidate('b')
    await world.cache.invalidateTag('id:b', 'ID:a', 'a')
    expect([world.get.peek('a'), other.peek('a')]).toEqual(['old', 'other'])
    await world.get.clear()
    expect([world.get.peek('a'), other.peek('a')]).toEqual([undefined, 'other'])
  })

  it('values loaded later are served', async () => {
    const world = setUp()
    for (const way of [...hard, soft]) {
      await load(world, way.name)
      expect(await world.get('a')).toBe(way.name)
      await way.run(world.cache, world.get)
    }
  })

  it('tags that were never used cost nothing and break nothing', async () => {
    const cache = aWorld().cache()
    expect(await cache.invalidateTag()).toEqual({ durable: true })
    expect(await cache.invalidateTag('nobody has it')).toEqual({ durable: true })
    expect(await codeOf(cache.invalidateTag(7 as never))).toBe('ERR_INVALID_OPTION')
  })

  it('a tag of many thousands invalidated is still remembered', async () => {
    const world = setUp()
    await load(world, 'old')
    await world.cache.invalidateTag('id:a')
    for (let i = 0; i < 12_000; i++) await world.cache.invalidateTag(`other:${i}`)
    expect(world.get.peek('a')).toBeUndefined()
  })
})

describe.each([
  ['with L1 alone', false],
  ['with an L2', true],
])('during a load, %s', (_, withL2) => {
  it.each([...hard, soft])('$name: callers get their answer, nothing is stored', async (way) => {
    const world = setUp(withL2)
    const early = watch(world.get('a'))
    await settle()
    await way.run(world.cache, world.get)
    await world.origin.answer('from before')
    expect(early.value).toBe('from before')
    expect(world.get.peek('a')).toBeUndefined()
    if (withL2) expect(await world.elsewhere()).toBe('loaded elsewhere')
  })

  // What the origin names itself is known only when it has ended.
  const known = [...hard, soft].filter(({ name }) => !name.includes('setTags'))

  it.each(known)('$name: new callers start a new load', async (way) => {
    const world = setUp(withL2)
    const early = watch(world.get('a'))
    await settle()
    await way.run(world.cache, world.get)
    const late = watch(world.get('a'))
    await world.clock.advance('100ms')
    world.origin.calls[1]?.answer('from after')
    await settle()
    expect(late.value).toBe('from after')
    await world.origin.answer('from before')
    expect(early.value).toBe('from before')
    expect(world.get.peek('a')).toBe('from after')
    if (withL2) expect(await world.elsewhere()).toBe('from after')
  })

  it('set: callers of the load get its answer, everybody else what was set', async () => {
    const world = setUp(withL2)
    const early = watch(world.get('a'))
    await settle()
    await set.run(world.cache, world.get)
    expect(await world.get('a')).toBe('by hand')
    await world.origin.answer('from before')
    expect(early.value).toBe('from before')
    expect(await world.get('a')).toBe('by hand')
    if (withL2) expect(await world.elsewhere()).toBe('by hand')
  })

  it('a fallback that was killed meanwhile is not served', async () => {
    for (const way of hard) {
      const world = setUp(withL2)
      await load(world, 'old')
      await world.clock.advance('11s')
      const call = watch(world.get('a'))
      await settle()
      await way.run(world.cache, world.get)
      await world.origin.fail(new Error(way.name))
      expect(call.error).toEqual(new Error(way.name))
    }
  })

  it('a fallback that expireTag touched may still be served', async () => {
    const world = setUp(withL2)
    await load(world, 'old')
    await world.clock.advance('11s')
    const call = watch(world.get('a'))
    await settle()
    await soft.run(world.cache, world.get)
    await world.origin.fail(new Error('down'))
    expect(call.value).toBe('old')
  })

  it('an unrelated tag touches nothing', async () => {
    const world = setUp(withL2)
    const early = watch(world.get('a'))
    await settle()
    await world.cache.invalidateTag('unrelated')
    await world.cache.expireTag('unrelated')
    await world.get.invalidate('b')
    const late = watch(world.get('a'))
    await settle()
    await world.origin.answer('value')
    expect([early.value, late.value, world.get.peek('a')]).toEqual(['value', 'value', 'value'])
    if (withL2) expect(await world.elsewhere()).toBe('value')
    expect(world.origin.count).toBe(1)
  })
})

describe('during a refresh in the background', () => {
  it.each([...hard, soft])('$name: what it brings is not stored', async (way) => {
    const world = aWorld()
    const origin = new Origin()
    const cache = world.cache()
    const get = cache.cached(
      (context: LoadContext<string>, id?: string) => {
        context.setTags(['dynamic'])
        return origin.loadWithContext(context, id)
      },
      { context: true, tags: (id) => [`id:${id}`], grace: '1h' },
    )
    await load({ origin, get }, 'old')
    await world.clock.advance('11s')
    await get('a')
    await settle()
    await way.run(cache, get)
    await origin.answer('from before')
    expect(get.peek('a')).toBeUndefined()
  })
})
