import vm from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultCodec } from '../../src/codec/default-codec.ts'
import { isResilienceError } from '../../src/kernel/errors.ts'
import { difference } from './expect-same.ts'

const through = (value: unknown) => defaultCodec.decode(new Uint8Array(defaultCodec.encode(value)))
const form = (value: unknown) => String.fromCharCode(defaultCodec.encode(value)[0] as number)
const bytes = [0, 1, 2, 127, 128, 254, 255, 0]

const nullPrototype = (members: object) => Object.assign(Object.create(null), members)

const values: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['0', 0],
  ['-0', -0],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['empty string', ''],
  ['false', false],
  ['bigint', 2n ** 70n],
  ['negative bigint', -1n],
  ['0n', 0n],
  ['lone surrogates', '\ud800 \udfff 😀 \u0000'],
  ['Date', new Date(1.7e12)],
  ['invalid Date', new Date(Number.NaN)],
  [
    'Map',
    new Map<unknown, unknown>([
      [{ a: 1 }, new Set([1n])],
      [Number.NaN, undefined],
      ['', new Map()],
    ]),
  ],
  ['Set', new Set([undefined, null, 0, '0', {}])],
  ['RegExp', /a\/"\n[/]/giu],
  ['URL', new URL('https://user@x.test:8080/á?b#c')],
  ['Buffer', Buffer.from(bytes)],
  ['empty Buffer', Buffer.alloc(0)],
  ['Uint8Array', Uint8Array.from(bytes)],
  ['view into a larger buffer', new Uint8Array([9, ...bytes]).subarray(1)],
  ['ArrayBuffer', Uint8Array.from(bytes).buffer],
  ['DataView', new DataView(Uint8Array.from(bytes).buffer)],
  ['Uint8ClampedArray', Uint8ClampedArray.from(bytes)],
  ['Int8Array', Int8Array.of(-1, 0)],
  ['Uint16Array', Uint16Array.of(1, 65535)],
  ['Int16Array', Int16Array.of(-1)],
  ['Uint32Array', Uint32Array.of(2 ** 32 - 1)],
  ['Int32Array', Int32Array.of(-1)],
  ['Float32Array', Float32Array.of(1.5, -0, Number.NaN)],
  ['Float64Array', Float64Array.of(1.1, -0, Infinity)],
  ['BigInt64Array', BigInt64Array.of(-1n)],
  ['BigUint64Array', BigUint64Array.of(2n ** 64n - 1n)],
  ['null-prototype object', nullPrototype({ a: 1, $: 2 })],
  ['object with a member $', { $: 'Date', v: 1 }],
  ['object with members $ and another', { $: undefined, a: { $: { $: 1 } } }],
  ['own __proto__', JSON.parse('{"__proto__":{"polluted":true},"a":1}')],
  [
    'own __proto__ beside a Date',
    Object.assign(JSON.parse('{"__proto__":{"polluted":[1]}}'), { d: new Date(0) }),
  ],
  ['own __proto__ beside $', JSON.parse('{"__proto__":{"a":1},"$":1}')],
  [
    'own __proto__ in a null prototype',
    Object.defineProperty(Object.create(null), '__proto__', {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    }),
  ],
  ['undefined members and elements', { a: undefined, b: [undefined, null] }],
  ['names of built-ins', { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: new Date(1) }],
  ['toJSON that is data', { toJSON: 1 }],
  ['integer-like names', { 10: 'a', 2: 'b', x: new Date(0) }],
  [
    'nested mixture',
    [{ m: new Map([['k', [Buffer.from('x'), { d: new Date(3), u: undefined }]]]) }],
  ],
]

// Node 22 has none.
const Half = (globalThis as { Float16Array?: { of(...items: number[]): object } }).Float16Array
if (Half) values.push(['Float16Array', Half.of(1.5, -0)])

const typedArrays = values.filter(
  ([, value]) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer,
)

const arbitrary = fc.anything({
  maxDepth: 4,
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withUnicodeString: true,
  key: fc.oneof(fc.string(), fc.constantFrom('$', 'v', '__proto__', 'toJSON', 'constructor')),
})

describe('defaultCodec', () => {
  it.each(values)('gives back equal in kind and content: %s', (_, value) => {
    expect(difference(through(value), value)).toBeUndefined()
    expect(difference(through([value, { value }]), [value, { value }])).toBeUndefined()
    expect(difference(through(new Map([[1, value]])), new Map([[1, value]]))).toBeUndefined()
  })

  it('gives random values back equal in kind and content', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(difference(through(value), value)).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })

  it('writes plain values as JSON text and bytes as they are', () => {
    expect(Buffer.from(defaultCodec.encode({ b: [1, 'ñ'], a: null })).toString()).toBe(
      'J{"b":[1,"ñ"],"a":null}',
    )
    expect(Buffer.from(defaultCodec.encode(Buffer.from('hi'))).toString()).toBe('Bhi')
    expect(Buffer.from(defaultCodec.encode(new TextEncoder().encode('hi'))).toString()).toBe('Uhi')
    expect(form({ a: [-0] })).toBe('T')
  })

  it('writes tagged text that other languages can read', () => {
    const text = (value: unknown) => Buffer.from(defaultCodec.encode(value)).toString()
    expect(text({ d: new Date(5), n: -0, b: 12n })).toBe(
      'T{"d":{"$":"Date","v":5},"n":{"$":"number","v":"-0"},"b":{"$":"bigint","v":"12"}}',
    )
    expect(text([Uint16Array.of(1, 256), undefined])).toBe(
      'T[{"$":"Uint16Array","v":"AQAAAQ=="},{"$":"undefined","v":null}]',
    )
    expect(text({ $: 1n })).toBe('T{"$":"Object","v":[["$",{"$":"bigint","v":"1"}]]}')
  })

  it.each(typedArrays)('gives bytes that nobody else holds: %s', (_, value) => {
    const encoded = defaultCodec.encode({ value })
    const { value: back } = defaultCodec.decode(encoded) as { value: ArrayBuffer | ArrayBufferView }
    encoded.fill(0)
    expect(difference(back, value)).toBeUndefined()
    const raw = defaultCodec.encode(value)
    const top = defaultCodec.decode(raw)
    raw.fill(0)
    expect(difference(top, value)).toBeUndefined()
  })

  it('keeps a value of another realm', () => {
    const foreign = vm.runInNewContext('({ a: [1, new Date(2)], m: new Map([[1, 2]]) })')
    expect(
      difference(through(foreign), { a: [1, new Date(2)], m: new Map([[1, 2]]) }),
    ).toBeUndefined()
  })

  it('leaves out what is not enumerable and stores what a getter says', () => {
    const value = Object.defineProperty(
      {
        get a() {
          return new Date(1)
        },
      },
      'hidden',
      { value: () => 1 },
    )
    expect(difference(through(value), { a: new Date(1) })).toBeUndefined()
  })

  it('never calls toJSON', () => {
    const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'wrong' })
    expect(difference(through(hidden), { a: 1 })).toBeUndefined()
  })

  it('keeps deep values, in both forms', () => {
    let deep: unknown = 1
    for (let i = 0; i < 400; i++) deep = i % 2 ? [deep] : { deep }
    expect(difference(through(deep), deep)).toBeUndefined()
  })
})

class Point {
  x = 1
}
const cycle: unknown[] = []
cycle.push({ cycle })
let tooDeep: unknown = 1
for (let i = 0; i < 100_000; i++) tooDeep = [tooDeep]

describe('defaultCodec refuses', () => {
  it.each<[string, unknown]>([
    ['function', () => 1],
    ['symbol', Symbol('secret')],
    ['member named by a symbol', { [Symbol('secret')]: 1 }],
    ['cycle', cycle],
    ['levels deep', tooDeep],
    ['holes', new Array(1)],
    ['holes', Object.assign(new Array(1), { a: 1 })],
    ['named members', 'a-b'.match(/-/)],
    ['Point', new Point()],
    ['Error', new Error('secret')],
    ['Promise', Promise.resolve('secret')],
    ['String', new String('secret')],
    ['class', new (class extends Date {})()],
    ['toJSON', { toJSON: undefined, f: () => 1 }],
    ['WeakMap', new WeakMap()],
    ['SharedArrayBuffer', new SharedArrayBuffer(1)],
  ])('%s, and names the remedy', (what, value) => {
    for (const holder of [value, [value], { a: value }, new Map([[value, 1]])]) {
      let error: unknown
      try {
        defaultCodec.encode(holder)
      } catch (thrown) {
        error = thrown
      }
      expect(isResilienceError(error, 'ERR_UNSERIALIZABLE')).toBe(true)
      const { message } = error as Error
      if (what !== 'toJSON') expect(message).toContain(what)
      expect(message).toContain('option codec')
      expect(message).not.toContain('secret')
    }
  })

  const damaged = [
    '',
    'X',
    'J',
    'J{',
    'T',
    'T[',
    'T{"$":"Nothing","v":1}',
    'T{"$":"constructor","v":""}',
    'T{"$":"__proto__","v":""}',
    'T{"$":"Function","v":""}',
    'T{"$":"Date","v":"x"}',
    'T{"$":"Date"}',
    'T{"$":"Date","v":1,"w":1}',
    'T{"$":1,"v":1}',
    'T{"$":"bigint","v":"0x1"}',
    'T{"$":"bigint","v":"-0"}',
    'T{"$":"bigint","v":1}',
    'T{"$":"number","v":"1"}',
    'T{"$":"Map","v":[[1]]}',
    'T{"$":"Map","v":[[1,2,3]]}',
    'T{"$":"Map","v":{"length":0}}',
    'T{"$":"Set","v":1}',
    'T{"$":"RegExp","v":["(",""]}',
    'T{"$":"RegExp","v":["a","gg"]}',
    'T{"$":"URL","v":"x"}',
    'T{"$":"Object","v":[[1,2]]}',
    'T{"$":"Uint16Array","v":"AQ=="}',
    'T{"$":"Buffer","v":"*"}',
    'T{"$":"Buffer","v":5}',
  ]
  it.each(damaged)('to decode %s', (text) => {
    expect(() => defaultCodec.decode(Buffer.from(text))).toThrow()
  })

  it('to decode what is no UTF-8', () => {
    expect(() => defaultCodec.decode(Buffer.from([0x4a, 0x22, 0xff, 0x22]))).toThrow()
  })

  it('to let stored text change a prototype', () => {
    const texts = [
      'J{"__proto__":{"polluted":true}}',
      'T{"__proto__":{"polluted":true}}',
      'T{"$":"Object","v":[["__proto__",{"polluted":true}]]}',
      'T{"$":"null-prototype","v":[["__proto__",{"polluted":true}]]}',
    ]
    for (const text of texts) {
      const value = defaultCodec.decode(Buffer.from(text)) as object
      expect((value as { polluted?: unknown }).polluted).toBeUndefined()
      expect(Object.hasOwn(value, '__proto__')).toBe(true)
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('to hang or crash on random damage', () => {
    const encoded = values.map(([, value]) => Buffer.from(defaultCodec.encode([value])))
    const damage = fc.record({
      base: fc.constantFrom(...encoded),
      edits: fc.array(fc.record({ at: fc.nat(500), byte: fc.nat(255) }), { maxLength: 5 }),
      cut: fc.nat(500),
    })
    let decoded = 0
    fc.assert(
      fc.property(
        fc.oneof(
          damage.map(({ base, edits, cut }) => {
            const copy = Buffer.from(base)
            for (const { at, byte } of edits) copy[at % copy.length] = byte
            return cut % 3 === 0 ? copy.subarray(0, cut % copy.length) : copy
          }),
          fc.uint8Array({ maxLength: 100 }),
        ),
        (bytes) => {
          const started = performance.now()
          try {
            defaultCodec.decode(bytes)
            decoded++
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
          expect(performance.now() - started).toBeLessThan(1000)
        },
      ),
      { numRuns: 3000 },
    )
    expect(decoded).toBeGreaterThan(0)
  })

  it('to overflow the stack on a deep stored text', () => {
    const text = Buffer.from(`T${'['.repeat(200_000)}${']'.repeat(200_000)}`)
    expect(() => defaultCodec.decode(text)).toThrow()
  })
})
