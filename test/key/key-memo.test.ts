import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { KeyMemo } from '../../src/key/key-memo.ts'
import { keyOf } from '../../src/key/key-of.ts'
import { isPlainJson } from '../../src/key/plain-json.ts'
import { value as anyValue, rolls } from './arbitrary-arguments.ts'

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>
const jsonObject = fc.dictionary(
  fc.oneof(fc.string(), fc.constantFrom('__proto__', '1', '10', '2', 'a')),
  json,
)

function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random))
  if (typeof value !== 'object' || value === null) return value
  const pairs = Object.entries(value).map(([name, item]) => ({ name, item, at: random() }))
  pairs.sort((a, b) => a.at - b.at)
  // JSON.parse is the one that makes an own member named __proto__.
  return JSON.parse(
    `{${pairs.map(({ name, item }) => `${JSON.stringify(name)}:${JSON.stringify(shuffled(item, random))}`)}}`,
  )
}

afterEach(() => {
  for (const name of ['polluted', 'toJSON']) Reflect.deleteProperty(Object.prototype, name)
})

describe('KeyMemo', () => {
  it('agrees with keyOf on JSON objects in any member order', () => {
    const memo = new KeyMemo(16)
    fc.assert(
      fc.property(jsonObject, rolls, (object, random) => {
        const other = shuffled(object, random) as object
        const key = keyOf([object])
        expect(memo.keyOfObject(object)).toBe(key)
        expect(memo.keyOfObject(other)).toBe(key)
        expect(memo.keyOfObject(object)).toBe(key)
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with keyOf on objects that are not plain JSON', () => {
    const memo = new KeyMemo()
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyValue), fc.array(anyValue), (object, list) => {
        expect(memo.keyOfObject(object)).toBe(keyOf([object]))
        expect(memo.keyOfObject(list)).toBe(keyOf([list]))
      }),
      { numRuns: 1000 },
    )
  })

  it('returns the very same string again, whatever was asked between', () => {
    const memo = new KeyMemo(4)
    const keys = Array.from({ length: 50 }, (_, id) => memo.keyOfObject({ id, x: 'y' }))
    expect(keys).toEqual(Array.from({ length: 50 }, (_, id) => keyOf([{ x: 'y', id }])))
    expect(memo.keyOfObject({ id: 3, x: 'y' })).toBe(keys[3])
  })

  it.each<[string, () => object]>([
    ['undefined member', () => ({ a: undefined })],
    ['Date', () => ({ a: new Date(0) })],
    ['NaN', () => ({ a: Number.NaN })],
    ['Infinity in an array', () => ({ a: [Infinity] })],
    ['hole', () => ({ a: new Array(1) })],
    ['null prototype', () => Object.assign(Object.create(null), { a: 1 })],
    [
      'class instance',
      () =>
        new (class {
          a = 1
        })(),
    ],
    ['symbol member, nested', () => ({ a: { [Symbol('s')]: 1 } })],
    ['hidden toJSON', () => Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 1 })],
    ['toJSON of an array', () => ({ a: Object.assign([1], { toJSON: () => 1 }) })],
    ['boxed string', () => ({ a: new String('x') })],
  ])('does not trust JSON text with: %s', (_, make) => {
    expect(isPlainJson(make())).toBe(false)
  })

  it('is not fooled by an extended Object.prototype', () => {
    const memo = new KeyMemo()
    const plain = memo.keyOfObject({ a: 1 })
    Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'same', configurable: true })
    expect(memo.keyOfObject({ a: 1 })).toBe(plain)
    expect(memo.keyOfObject({ a: 2 })).not.toBe(plain)
    Reflect.deleteProperty(Object.prototype, 'toJSON')
    Object.assign(Object.prototype, { polluted: 1 })
    expect(memo.keyOfObject({ a: 1 })).toBe(plain)
    expect(memo.keyOfObject({ a: 1, polluted: 1 })).not.toBe(plain)
  })

  it('lets no getter leave a wrong key behind', () => {
    const memo = new KeyMemo()
    let reads = 0
    const restless = {
      get id() {
        return ++reads
      },
    }
    for (let i = 0; i < 20; i++) memo.keyOfObject(restless)
    for (let id = 0; id < 50; id++) expect(memo.keyOfObject({ id })).toBe(keyOf([{ id }]))
  })

  it('takes a Proxy of a plain object as what it shows', () => {
    expect(new KeyMemo().keyOfObject(new Proxy({ b: 1, a: 2 }, {}))).toBe(keyOf([{ a: 2, b: 1 }]))
  })
})
