import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kindOf, shown, toMs } from '../../src/kernel/duration.ts'
import { isResilienceError } from '../../src/kernel/errors.ts'

describe('toMs', () => {
  it.each([
    [0, 0],
    [1.5, 1.5],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5s', 1500],
    ['0s', 0],
    [' 5 m ', 300_000],
  ])('reads %j as %d ms', (given, ms) => {
    expect(toMs(given, 'ttl')).toBe(ms)
  })

  it.each([
    -1,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    '',
    '5',
    '5 minutes',
    '5M',
    '-5m',
    '.5s',
    '1e3ms',
    '5m5s',
    'Infinity',
    null,
    undefined,
    true,
    5n,
    [],
    {},
    new Date(0),
  ])('refuses %s', (given) => {
    expect(() => toMs(given, 'ttl')).toThrow(/^ttl must be a duration: .*'5m'.*; got /)
  })

  it('gives ERR_INVALID_OPTION', () => {
    expect.assertions(1)
    try {
      toMs('soon', 'ttl')
    } catch (error) {
      expect(isResilienceError(error, 'ERR_INVALID_OPTION')).toBe(true)
    }
  })

  it('reads back every whole number in every unit', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
    const unit = fc.constantFrom(...(Object.keys(units) as Array<keyof typeof units>))
    fc.assert(
      fc.property(fc.nat(100_000), unit, (count, name) => {
        expect(toMs(`${count}${name}`, 'ttl')).toBe(count * units[name])
      }),
    )
  })
})

describe('a value in a message', () => {
  it.each([
    ['soon', "'soon'"],
    ['x'.repeat(50), `'${'x'.repeat(40)}…'`],
    [-0, '-0'],
    [5n, '5n'],
    [() => 1, 'a function'],
    [Symbol('secret'), 'a symbol'],
    [['secret'], 'an array'],
    [{ secret: 1 }, 'an object'],
    [null, 'null'],
    [undefined, 'undefined'],
  ])('shows what an option was given: %s', (value, text) => {
    expect(shown(value)).toBe(text)
  })

  it.each([
    ['secret', 'text'],
    [42, 'a number'],
    [42n, 'a bigint'],
    [true, 'true'],
    [null, 'null'],
    [['secret'], 'an array'],
  ])('can be left out for its kind: %s', (value, text) => {
    expect(kindOf(value)).toBe(text)
  })
})
