import { describe, expect, it } from 'vitest'
import type { Sharing } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach, Origin } from '../read-path/fixture.ts'

endWorldsAfterEach()

interface Value {
  name: string
  list: number[]
  bytes: Buffer
  map: Map<string, { n: number }>
  set: Set<Buffer>
  date: Date
}

const fresh = (): Value => ({
  name: 'x',
  list: [1],
  bytes: Buffer.from('abc'),
  map: new Map([['k', { n: 1 }]]),
  set: new Set([Buffer.from('in a set')]),
  date: new Date(0),
})

function setUp<V>(values: Sharing, make: () => V) {
  const origin = new Origin<V>(make)
  const cache = aWorld().cache({ l1: { values } })
  return { cache, origin, get: cache.cached(origin.load) }
}

describe("values: 'share'", () => {
  it('hands the stored object to everybody', async () => {
    const { get } = setUp('share', fresh)
    const first = await get('a')
    expect(await get('a')).toBe(first)
    expect(get.peek('a')).toBe(first)
    expect(Object.isFrozen(first)).toBe(false)
  })

  it('is the default', async () => {
    const get = aWorld().cache().cached(new Origin(fresh).load)
    expect(await get('a')).toBe(await get('a'))
  })
})

describe("values: 'freeze'", () => {
  it('hands out one object, frozen through and through', async () => {
    const { get } = setUp('freeze', () => ({ list: [{ n: 1 }], nothing: null }))
    const first = await get('a')
    expect(await get('a')).toBe(first)
    for (const part of [first, first.list, first.list[0]]) expect(Object.isFrozen(part)).toBe(true)
    expect(() => first.list.push({ n: 2 })).toThrow(TypeError)
  })

  it('hands out copies of what cannot be frozen', async () => {
    const { get } = setUp('freeze', fresh)
    spoil(await get('a'))
    expect(await get('a')).toEqual(fresh())
    spoil(get.peek('a') as Value)
    expect(await get('a')).toEqual(fresh())
  })

  it('gives callers who shared a load copies of their own', async () => {
    const { get } = setUp('freeze', fresh)
    const [first, second] = await Promise.all([get('a'), get('a')])
    spoil(first)
    expect(second).toEqual(fresh())
  })

  it('takes objects that contain themselves', async () => {
    const { get } = setUp('freeze', () => {
      const value: { self?: unknown } = {}
      value.self = value
      return value
    })
    const value = await get('a')
    expect(value.self).toBe(value)
    expect(Object.isFrozen(value)).toBe(true)
  })

  it('freezes what is put in by hand', async () => {
    const cache = aWorld().cache({ l1: { values: 'freeze' } })
    await cache.set('a', { n: 1 })
    expect(Object.isFrozen(await cache.get('a'))).toBe(true)
  })
})

describe("values: 'clone'", () => {
  it('hands each caller a copy, the first one too', async () => {
    const { get } = setUp('clone', fresh)
    for (let i = 0; i < 3; i++) {
      const value = await get('a')
      expect(value).toEqual(fresh())
      spoil(value)
    }
    spoil(get.peek('a') as Value)
    spoil(get.peekEntry('a')?.value as Value)
    spoil((await get.many([['a']]))[0] as Value)
    spoil((await get.detail('a')).value)
    expect(await get('a')).toEqual(fresh())
  })

  it('keeps the classes of Buffers, Maps, Sets and Dates', async () => {
    const { get } = setUp('clone', fresh)
    const { bytes, map, set, date } = await get('a')
    expect(Buffer.isBuffer(bytes)).toBe(true)
    expect(Buffer.isBuffer([...set][0])).toBe(true)
    expect([map instanceof Map, date instanceof Date]).toEqual([true, true])
  })

  it('does not see later changes of what was put in by hand', async () => {
    const cache = aWorld().cache({ l1: { values: 'clone' } })
    const value = fresh()
    await cache.set('a', value)
    spoil(value)
    expect(await cache.get('a')).toEqual(fresh())
    spoil((await cache.get('a')) as Value)
    expect(await cache.get('a')).toEqual(fresh())
  })

  it('gives callers who shared a load copies of their own', async () => {
    const { get } = setUp('clone', fresh)
    const [first, second] = await Promise.all([get('a'), get('a')])
    spoil(first)
    expect(second).toEqual(fresh())
  })

  it('copies a Buffer that lies in a larger one', async () => {
    const { get } = setUp('clone', () => Buffer.from('0123456789').subarray(2, 5))
    const first = await get('a')
    expect(first.toString()).toBe('234')
    first.fill(0)
    expect((await get('a')).toString()).toBe('234')
  })

  it('returns what cannot be copied, does not store it and says so', async () => {
    const { cache, origin, get } = setUp('clone', () => ({ run: () => 'still callable' }))
    const kinds: string[] = []
    cache.on('error', ({ kind }) => kinds.push(kind))
    expect((await get('a')).run()).toBe('still callable')
    expect((await get('a')).run()).toBe('still callable')
    expect(origin.count).toBe(2)
    expect(kinds.length).toBe(2)
  })
})

function spoil(value: Value): void {
  for (const bytes of [value.bytes, ...value.set]) bytes.fill(0)
  value.map.set('k', { n: 2 })
  value.set.clear()
  value.date.setTime(1)
  if (Object.isFrozen(value)) return
  value.name = 'y'
  value.list.push(2)
}
