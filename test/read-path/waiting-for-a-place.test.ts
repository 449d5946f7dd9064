import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

describe('a load that waits for its place among maxLoads', () => {
  it('keeps its lease, and stores what it loads', async () => {
    const world = aWorld()
    const origin = new Origin(
      (id) =>
        new Promise<string>((resolve) => {
          world.clock.setTimeout(() => resolve(id), 3000)
        }),
    )
    const get = world.cache({ l2: memory(), maxLoads: 1, ttl: '1h' }).cached(origin.load, {
      name: 'fn',
    })
    const ids = ['a', 'b', 'c', 'd']
    const calls = ids.map((id) => watch(get(id)))
    await world.clock.advance('12s')
    expect(calls.map(({ value }) => value)).toEqual(ids)
    expect(ids.map((id) => get.peek(id))).toEqual(ids)
    expect(origin.count).toBe(4)
  })

  it('gets the place of an origin that hangs, at hardTimeout', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache({ maxLoads: 2, hardTimeout: '1s' }).cached(origin.load)
    const codes = Promise.all([codeOf(get('a')), codeOf(get('b'))])
    await world.clock.advance('1s')
    expect(await codes).toEqual(['ERR_TIMEOUT', 'ERR_TIMEOUT'])
    origin.replyWith((id) => id)
    expect(await get('c')).toBe('c')
  })

  it('gets the place of one whose callers have all left', async () => {
    const origin = new Origin()
    const get = aWorld().cache({ maxLoads: 1 }).cached(origin.load)
    const controller = new AbortController()
    const left = codeOf(get.with({ signal: controller.signal })('a'))
    const next = watch(get('b'))
    await settle()
    controller.abort()
    await settle()
    expect(await left).toBe('ERR_ABORTED')
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'b'])
    origin.calls[1]?.answer('b')
    await settle()
    expect(next.value).toBe('b')
  })

  it('gets the place of a load of many keys once all of them have ended', async () => {
    const world = aWorld()
    const origin = new Origin()
    const get = world.cache({ maxLoads: 1, hardTimeout: '1s' }).cached(origin.load, {
      manyOrigin: () => new Promise<string[]>(() => {}),
    })
    const many = codeOf(get.many([['a'], ['b']]))
    await world.clock.advance('1s')
    expect(await many).toBe('ERR_TIMEOUT')
    origin.replyWith((id) => id)
    expect(await get('c')).toBe('c')
  })

  it('is taken for two when two places come free, not for three', async () => {
    const origin = new Origin()
    const get = aWorld().cache({ maxLoads: 2 }).cached(origin.load)
    for (const id of ['a', 'b', 'c', 'd', 'e']) watch(get(id))
    await settle()
    origin.calls[0]?.answer('a')
    origin.calls[1]?.answer('b')
    await settle()
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    for (const call of origin.waiting) call.answer('x')
    await settle()
    await origin.answer('e')
  })

  it('is no failure of an origin that was never called', async () => {
    const world = aWorld()
    const cache = world.cache({ maxLoads: 2, hardTimeout: '1s' })
    const get = cache.cached(new Origin().load)
    const codes = Array.from({ length: 20 }, (_, i) => codeOf(get(String(i))))
    await world.clock.advance('1s')
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['ERR_TIMEOUT']))
    expect(cache.stats()).toMatchObject({ originCalls: 2, originErrors: 2, misses: 20 })
  })

  it('is not waited for by close() once it has ended', async () => {
    const world = aWorld()
    const cache = world.cache({ maxLoads: 1, hardTimeout: '1s' })
    const get = cache.cached(new Origin().load)
    const codes = Promise.all([codeOf(get('a')), codeOf(get('b'))])
    await world.clock.advance('1s')
    await codes
    const closed = watch(cache.close({ deadline: '1h' }))
    await settle()
    expect(closed.state).toBe('fulfilled')
  })

  it('loads only those of many keys that got nothing stale instead', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const lists: unknown[] = []
    const cache = world.cache({ maxLoads: 1 })
    const get = cache.cached(origin.load, {
      grace: '1h',
      softTimeout: '10s',
      manyOrigin: async (given) => {
        lists.push(given)
        return given.map(() => 'new')
      },
    })
    await get('a')
    await world.clock.advance('11s')
    origin.hold()
    const busy = watch(get('busy'))
    await settle()
    const many = watch(get.many([['a'], ['b']]))
    await settle()
    await origin.answer('busy')
    expect(busy.value).toBe('busy')
    expect(many.value).toEqual(['old', 'new'])
    expect(lists).toEqual([[['b']]])
  })
})
