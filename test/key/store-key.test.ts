import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf } from '../../src/key/key-of.ts'
import { storeKey, storePrefix } from '../../src/key/store-key.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ':', '::', '%', '%3A', 'a:b', '\ud800', '\ud801', '%uD800', '\n'),
)
const names = fc.array(anyText, { minLength: 1, maxLength: 4 })

describe('storeKey', () => {
  it('leaves readable keys readable', () => {
    expect(storeKey(storePrefix('app', 'partner'), keyOf(['12345678-5']))).toBe(
      'app:partner::12345678-5',
    )
    expect(storeKey('p::', keyOf([{ id: 1 }]))).toBe('p::~{"id":1}')
    expect(storeKey('p::', 'ñandú')).toBe('p::ñandú')
  })

  it('replaces what is long, not well-formed or not printable by its full SHA-256', () => {
    const hashed = /^p::~h[\w-]{43}$/
    expect(storeKey('p::', 'x'.repeat(200))).toBe(`p::${'x'.repeat(200)}`)
    expect(storeKey('p::', 'x'.repeat(201))).toMatch(hashed)
    expect(storeKey('p::', 'ñ'.repeat(101))).toMatch(hashed)
    expect(storeKey('p::', 'ñ'.repeat(100))).toBe(`p::${'ñ'.repeat(100)}`)
    for (const key of ['\ud800', 'a\u0000', 'a\nb', 'a\u007f', 'a\u0085']) {
      expect(storeKey('p::', key)).toMatch(hashed)
    }
    expect(storeKey('p::', '😀')).toBe('p::😀')
  })

  it('keeps lone surrogates apart, which are one character in UTF-8', () => {
    expect(storeKey('', '\ud800')).not.toBe(storeKey('', '\ud801'))
  })

  it('never lets a key of the user look like a hash', () => {
    const hash = storeKey('', 'x'.repeat(300))
    expect(storeKey('', keyOf([hash]))).not.toBe(hash)
  })

  it('keeps apart any two functions and keys', () => {
    fc.assert(
      fc.property(names, anyText, names, anyText, (namesA, keyA, namesB, keyB) => {
        const same =
          namesA.length === namesB.length &&
          namesA.every((name, i) => name === namesB[i]) &&
          keyA === keyB
        const a = storeKey(storePrefix(...namesA), keyOf([keyA]))
        expect(a === storeKey(storePrefix(...namesB), keyOf([keyB]))).toBe(same)
        expect(a.isWellFormed()).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('makes prefixes of which none begins another', () => {
    expect(storePrefix('a:b', 'c')).not.toBe(storePrefix('a', 'b:c'))
    expect(storePrefix('a', 'b').startsWith(storePrefix('a'))).toBe(false)
    expect(storePrefix('a', '', 'b').startsWith(storePrefix('a'))).toBe(false)
    expect(storePrefix('a%3Ab')).not.toBe(storePrefix('a:b'))
  })
})
