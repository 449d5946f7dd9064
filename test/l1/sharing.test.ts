import { inspect } from 'node:util'
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

  it.each([
    ['URL', () => new URL('http://host/'), (url: URL) => url.searchParams.set('a', '1')],
    [
      'URLSearchParams',
      () => new URLSearchParams(),
      (query: URLSearchParams) => query.set('a', '1'),
    ],
    ['RegExp', () => /a/g, (pattern: RegExp) => pattern.test('a')],
    [
      'ArrayBuffer',
      () => new ArrayBuffer(1),
      (memory: ArrayBuffer) => new Uint8Array(memory).fill(1),
    ],
  ] as Array<[string, () => object, (value: never) => void]>)(
    'hands out copies of a %s',
    async (_, make, change) => {
      const { origin, get } = setUp('freeze', make)
      for (let i = 0; i < 2; i++) {
        const value = await get('a')
        expect(value).toEqual(make())
        change(value as never)
      }
      expect(get.peek('a')).toEqual(make())
      expect(origin.count).toBe(1)
    },
  )

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

  it('hands out class instances as they are, and stores none: a copy would not be one', async () => {
    class Money {
      readonly #cents = 5
      get cents(): number {
        return this.#cents
      }
    }
    const origin = new Origin(() => new Money())
    const get = aWorld()
      .cache({ l1: { values: 'clone' } })
      .cached(origin.load)
    expect((await get('a')).cents).toBe(5)
    expect((await get('a')).cents).toBe(5)
    expect(origin.count).toBe(2)
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

describe.each(['freeze', 'clone'] as const)('values: %j', (values) => {
  const odd = () => ({
    url: new URL('http://host/path?a=1'),
    query: new URLSearchParams('a=1'),
    pattern: /a/g,
    bytes: new Uint8Array([1, 2]),
    bare: Object.assign(Object.create(null), { list: [1] }) as { list: number[] },
    // An own member, as JSON.parse makes it.
    nested: JSON.parse('{"__proto__": {"n": 1}, "holes": [null]}') as { holes: unknown[] },
    error: new RangeError('broken'),
  })

  it('keeps URLs, patterns and the like from changes by callers', async () => {
    const { origin, get } = setUp(values, odd)
    for (let i = 0; i < 3; i++) {
      const value = await get('a')
      expect(value).toEqual(odd())
      expect(value.url.href).toBe('http://host/path?a=1')
      expect(value.query.get('a')).toBe('1')
      expect(value.pattern.lastIndex).toBe(0)
      expect(Object.getPrototypeOf(value.bare)).toBe(null)
      expect(Object.keys(value.nested)).toEqual(['__proto__', 'holes'])
      value.url.pathname = '/changed'
      value.query.set('a', 'changed')
      expect(value.pattern.test('aa')).toBe(true)
      value.bytes[0] = 7
      value.bare.list.push(2)
    }
    expect(origin.count).toBe(1)
  })

  it('hands out one object once where a value holds it twice, and cycles as cycles', async () => {
    const { origin, get } = setUp(values, () => {
      const shared = { map: new Map() }
      const date = new Date(0)
      const value: Record<string, unknown> = { one: shared, two: shared, from: date, to: date }
      value.self = value
      shared.map.set('value', value)
      return value
    })
    const first = await get('a')
    const value = await get('a')
    expect(origin.count).toBe(1)
    expect(value).not.toBe(first)
    expect(value.self).toBe(value)
    expect(value.to).toBe(value.from)
    expect(value.two).toBe(value.one)
    expect((value.one as { map: Map<string, unknown> }).map.get('value')).toBe(value)
  })

  it('says what it cannot copy, and never shows it', async () => {
    const secret = Object.assign(() => 'hunter2', {})
    const cache = aWorld().cache({ l1: { values } })
    const errors: unknown[] = []
    cache.on('error', ({ error }) => errors.push(error))
    const get = cache.cached(async (value: unknown) => ({
      date: new Date(0),
      value: holder(value),
    }))
    const holder = (kind: unknown) =>
      ({ text: secret, symbol: Symbol('hunter2'), weak: new WeakMap() })[kind as string]
    for (const kind of ['text', 'symbol', 'weak']) await get(kind)
    expect(errors.length).toBe(3)
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'ERR_UNSERIALIZABLE' })
      expect(inspect(error)).not.toContain('hunter2')
    }
    expect(errors.map((error) => /holds (.*?),/.exec((error as Error).message)?.[1])).toEqual([
      'a function',
      'a symbol',
      'an instance of WeakMap',
    ])
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
