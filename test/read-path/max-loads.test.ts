import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, watch } from './fixture.ts'

endWorldsAfterEach()

describe('maxLoads', () => {
  it('lets so many loads run, and the others wait in order', async () => {
    const origin = new Origin()
    const get = aWorld().cache({ maxLoads: 2 }).cached(origin.load)
    const calls = ['a', 'b', 'c', 'd'].map((id) => watch(get(id)))
    await settle()
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'b'])
    await origin.answer('1')
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    for (const value of ['2', '3', '4']) await origin.answer(value)
    expect(calls.map(({ value }) => value)).toEqual(['1', '2', '3', '4'])
  })

  it('counts loads of all functions together', async () => {
    const cache = aWorld().cache({ maxLoads: 1 })
    const [one, other] = [new Origin(), new Origin()]
    const calls = [cache.cached(one.load)('a'), cache.cached(other.load)('a')]
    await settle()
    expect([one.count, other.count]).toEqual([1, 0])
    await one.answer('1')
    await other.answer('2')
    expect(await Promise.all(calls)).toEqual(['1', '2'])
  })

  it('frees the place of a load that failed', async () => {
    const origin = new Origin()
    const get = aWorld().cache({ maxLoads: 1 }).cached(origin.load)
    const [first, second] = [watch(get('a')), watch(get('b'))]
    await settle()
    await origin.fail(new Error('down'))
    await origin.answer('2')
    expect([first.state, second.value]).toEqual(['rejected', '2'])
  })

  it('skips in line those whose callers have all left', async () => {
    const origin = new Origin()
    const get = aWorld().cache({ maxLoads: 1 }).cached(origin.load)
    const controller = new AbortController()
    const first = watch(get('a'))
    const left = watch(get.with({ signal: controller.signal })('b'))
    const third = watch(get('c'))
    await settle()
    controller.abort()
    await origin.answer('1')
    await origin.answer('3')
    expect(origin.calls.map(({ id }) => id)).toEqual(['a', 'c'])
    expect([first.value, left.state, third.value]).toEqual(['1', 'rejected', '3'])
  })

  it('does not keep those who wait in line beyond hardTimeout', async () => {
    const world = aWorld()
    const get = world.cache({ maxLoads: 1, hardTimeout: '3s' }).cached(new Origin().load)
    const codes = Promise.all([codeOf(get('a')), codeOf(get('b'))])
    await world.clock.advance('3s')
    expect(await codes).toEqual(['ERR_TIMEOUT', 'ERR_TIMEOUT'])
  })

  it('serves what is stale to those who would have to wait in line', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const options = { grace: '1h', softTimeout: '10s' } as const
    const get = world.cache({ maxLoads: 1 }).cached(origin.load, options)
    await get('a')
    origin.hold()
    await world.clock.advance('11s')
    const busy = watch(get('b'))
    await settle()
    expect(await get.detail('a')).toMatchObject({ value: 'old', outcome: 'stale-capped' })
    await origin.answer('b')
    expect(busy.value).toBe('b')
    expect(origin.count).toBe(2)
  })

  it('begins no refresh in the background at the cap', async () => {
    const world = aWorld()
    const origin = new Origin(() => 'old')
    const get = world.cache({ maxLoads: 1 }).cached(origin.load, { grace: '1h' })
    await get('a')
    origin.hold()
    await world.clock.advance('11s')
    const busy = watch(get('b'))
    await settle()
    expect(await get('a')).toBe('old')
    await origin.answer('b')
    expect(busy.value).toBe('b')
    expect(origin.count).toBe(2)
    expect(await get('a')).toBe('old')
    await settle()
    expect(origin.count).toBe(3)
  })

  it('is 100 while a configured L2 is lost, and no cap otherwise', async () => {
    const world = aWorld()
    const store = chaosStore(memory())
    const origin = new Origin()
    const get = world.cache({ l2: store }).cached(origin.load, { name: 'fn' })
    const before = Array.from({ length: 150 }, (_, i) => watch(get(`before ${i}`)))
    await settle()
    expect(origin.count).toBe(150)
    for (const call of origin.waiting) call.answer('done')
    await settle()
    expect(before.every(({ state }) => state === 'fulfilled')).toBe(true)
    store.set({ throws: 1 })
    for (let i = 0; i < 5; i++) {
      const call = get(`failing ${i}`)
      await settle()
      await origin.answer('x')
      await call
    }
    expect(world.caches[0]?.health().l2.state).toBe('down')
    for (let i = 0; i < 150; i++) watch(get(`lost ${i}`))
    await settle()
    expect(origin.waiting.length).toBe(100)
  })
})
