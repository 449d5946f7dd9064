import vm from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isResilienceError } from '../../src/kernel/errors.ts'
import { keyOf } from '../../src/key/key-of.ts'
import { argumentList, nearMiss, rolls } from './arbitrary-arguments.ts'
import { sameArguments } from './structural-equality.ts'

const different: [string, unknown[], unknown[]][] = [
  ["1 and '1'", [1], ['1']],
  ["[1,2] and '1,2'", [[1, 2]], ['1,2']],
  ['[1,2] and 1, 2', [[1, 2]], [1, 2]],
  ["'a,b' and 'a', 'b'", ['a,b'], ['a', 'b']],
  ["'aB' and 'b!' (one DJB2 hash)", ['aB'], ['b!']],
  ['{a: undefined} and {}', [{ a: undefined }], [{}]],
  ['Buffer and Uint8Array', [Buffer.from([1])], [Uint8Array.of(1)]],
  ['Uint8Array and Int8Array', [Uint8Array.of(1)], [Int8Array.of(1)]],
  ['ArrayBuffer and Uint8Array', [Uint8Array.of(1).buffer], [Uint8Array.of(1)]],
  ['DataView and Uint8Array', [new DataView(new ArrayBuffer(1))], [new Uint8Array(1)]],
  ['empty Uint8Array and empty Buffer', [new Uint8Array(0)], [Buffer.alloc(0)]],
  ['Date and its ISO string', [new Date(0)], [new Date(0).toISOString()]],
  ['Date and its number', [new Date(0)], [0]],
  ['null and undefined', [null], [undefined]],
  ["null and 'null'", [null], ['null']],
  ["undefined and 'undefined'", [undefined, 1], ['undefined', 1]],
  ['1 and 1n', [1], [1n]],
  ["1n and '1n'", [1n], ['1n']],
  ['true and 1', [true], [1]],
  ["NaN and 'NaN'", [Number.NaN], ['NaN']],
  ['Infinity and null', [Infinity], [null]],
  [
    'Map orders',
    [
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    [
      new Map([
        [3, 4],
        [1, 2],
      ]),
    ],
  ],
  ['Map pairs shifted', [new Map([[1, [2, 3]]])], [new Map([[[1, 2], 3]])]],
  ['Set and array', [new Set([1])], [[1]]],
  ['a hole and undefined', [new Array(1)], [[undefined]]],
  ['[] and [hole]', [[]], [new Array(1)]],
  ['RegExp flags', [/a/g], [/a/i]],
  ['RegExp and its text', [/a/g], ['/a/g']],
  ['URL and its text', [new URL('https://x.test/')], ['https://x.test/']],
  ['a string that looks like a key', [1], [keyOf([1])]],
  ['two lone surrogates', ['\ud800'], ['\ud801']],
  ['own __proto__ and none', [JSON.parse('{"__proto__":1}')], [{}]],
  ['nested names and values', [{ a: { b: 1 } }], [{ a: { 'b":1': 1 } }]],
  ['no argument and an empty string', [], ['']],
]

const equal: [string, unknown[], unknown[]][] = [
  ['0 and -0', [0], [-0]],
  ['-0 inside', [{ a: [-0] }], [{ a: [0] }]],
  ['-0 in a Float64Array', [Float64Array.of(-0)], [Float64Array.of(0)]],
  ['NaN and NaN', [Number.NaN], [Number.NaN]],
  ['two invalid dates', [new Date('x')], [new Date(Number.NaN)]],
  ['f() and f(undefined)', [], [undefined]],
  ['trailing undefined', [1, undefined, undefined], [1]],
  ['members in any order', [{ a: 1, b: { c: 2, d: 3 } }], [{ b: { d: 3, c: 2 }, a: 1 }]],
  ['null-prototype and plain', [Object.assign(Object.create(null), { a: 1 })], [{ a: 1 }]],
  [
    'another realm',
    [vm.runInNewContext('[{ a: [1], d: new Date(5), m: new Map([[1, new Uint8Array(2)]]) }]')[0]],
    [{ a: [1], d: new Date(5), m: new Map([[1, new Uint8Array(2)]]) }],
  ],
  ['views of one content', [new Uint8Array([9, 1, 2]).subarray(1)], [Uint8Array.of(1, 2)]],
]

class Point {
  x = 1
}
const cycle: { self?: unknown } = {}
cycle.self = [cycle]

const refused: [string, unknown][] = [
  ['function', () => 1],
  ['symbol', Symbol('s')],
  ['member named by a symbol', { [Symbol('s')]: 1 }],
  ['cycle', cycle],
  ['Point', new Point()],
  ['Number', new Number(1)],
  ['Promise', Promise.resolve()],
  ['Error', new Error('secret')],
  ['WeakMap', new WeakMap()],
  ['class', new (class extends Map {})()],
  ['class', new (class extends Array {})()],
  ['class', new (class extends Uint8Array {})(1)],
  ['Date', Object.create(Date.prototype)],
  ['URL', Object.create(URL.prototype)],
  ['Proxy', new Proxy(new Map(), {})],
  ['SharedArrayBuffer', new SharedArrayBuffer(1)],
]

describe('keyOf', () => {
  it.each(different)('keeps apart: %s', (_, a, b) => {
    expect(keyOf(a)).not.toBe(keyOf(b))
  })

  it.each(equal)('does not tell apart: %s', (_, a, b) => {
    expect(keyOf(a)).toBe(keyOf(b))
  })

  it.each(refused)('refuses what its contents do not define: %s', (kind, argument) => {
    for (const args of [[argument], ['x', { deep: [argument] }]]) {
      let error: unknown
      try {
        keyOf(args)
      } catch (thrown) {
        error = thrown
      }
      expect(isResilienceError(error, 'ERR_UNCACHEABLE_KEY')).toBe(true)
      expect((error as Error).message).toContain(kind)
      expect((error as Error).message).toContain('option key')
      expect((error as Error).message).not.toContain('secret')
    }
  })

  it('uses one string as it is, unless it begins like an encoded key', () => {
    expect(keyOf(['partner 12'])).toBe('partner 12')
    expect(keyOf([''])).toBe('')
    expect(keyOf(['~1'])).toBe('~"~1"')
  })

  it('writes readable text', () => {
    expect(keyOf([1, 'a', { b: [true, null], a: 2n }])).toBe('~1,"a",{"a":2n,"b":[true,null]}')
    expect(keyOf([])).toBe('~')
  })

  it('takes an object that occurs twice', () => {
    const shared = { a: 1 }
    expect(keyOf([[shared, shared]])).toBe(keyOf([[{ a: 1 }, { a: 1 }]]))
  })

  it('refuses an object too deep instead of overflowing the stack', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(() => keyOf([deep])).toThrow(/levels deep/)
  })

  it('takes a buffer that was transferred away as an empty one', () => {
    const bytes = Uint8Array.of(1, 2)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    expect(keyOf([bytes])).toBe(keyOf([new Uint8Array(0)]))
  })

  it('gives random argument lists one key if and only if they are equal', () => {
    fc.assert(
      fc.property(argumentList, argumentList, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(sameArguments(a, b))
      }),
      { numRuns: 3000 },
    )
  })

  it('tells a list from its near misses, and only from those that differ', () => {
    let equalPairs = 0
    let differentPairs = 0
    fc.assert(
      fc.property(argumentList, rolls, (a, random) => {
        const b = nearMiss(a, random)
        const same = sameArguments(a, b)
        if (!same) differentPairs++
        else if (a.length > 0) equalPairs++
        expect(keyOf(a) === keyOf(b)).toBe(same)
      }),
      { numRuns: 3000 },
    )
    // Otherwise half of the claim was never tried.
    expect(Math.min(equalPairs, differentPairs)).toBeGreaterThan(500)
  })
})
