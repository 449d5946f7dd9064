import { describe, expect, it } from 'vitest'
import {
  checkBoolean,
  checkChoice,
  checkCount,
  checkFunction,
  checkNumber,
  checkOptionNames,
  nearestName,
} from '../../src/kernel/options.ts'

const NAMES = ['ttl', 'grace', 'softTimeout', 'hardTimeout', 'negativeTtl', 'l1', 'l2', 'tags']

describe('nearestName', () => {
  it.each([
    ['tl', 'ttl'],
    ['TTL', 'ttl'],
    ['tag', 'tags'],
    ['grase', 'grace'],
    ['softTimout', 'softTimeout'],
    ['hard_timeout', 'hardTimeout'],
    ['negativeTTL', 'negativeTtl'],
    ['l3', 'l1'],
  ])('takes %s for a mistyped %s', (typed, meant) => {
    expect(nearestName(typed, NAMES)).toBe(meant)
  })

  it.each(['', 'a', 'x1y', 'expires', 'maxSize', 'staleWhileRevalidate'])(
    'suggests nothing for %j rather than anything',
    (typed) => {
      expect(nearestName(typed, NAMES)).toBeUndefined()
    },
  )
})

describe('option checks', () => {
  it('names the unknown option, where it was given, and the nearest right one', () => {
    expect(() => checkOptionNames({ tll: 1 }, NAMES, 'cached()')).toThrow(
      "unknown option of cached(): 'tll'; did you mean 'ttl'?",
    )
  })

  it('lists the right ones where none is near', () => {
    expect(() => checkOptionNames({ expires: 1 }, ['ttl', 'grace'], 'cached()')).toThrow(
      "unknown option of cached(): 'expires'; known are ttl, grace",
    )
  })

  it.each([null, undefined, 'ttl', 5, [], () => 1])(
    'takes only objects for options: %s',
    (given) => {
      expect(() => checkOptionNames(given, NAMES, 'cached()')).toThrow(
        /takes an options object, got /,
      )
    },
  )

  it('never shows what was given instead of options', () => {
    expect(() => checkOptionNames('user:42', NAMES, 'cached()')).toThrow(/got text$/)
  })

  it('takes undefined for not given', () => {
    checkBoolean(undefined, 'x')
    checkChoice(undefined, ['a'], 'x')
    checkCount(undefined, 'x')
    checkFunction(undefined, 'x')
    checkNumber(undefined, 'x', 0, 1)
  })

  it('takes no null for not given', () => {
    expect(() => checkBoolean(null, 'x')).toThrow('x must be true or false, got null')
    expect(() => checkChoice(null, ['a', 'b'], 'x')).toThrow('x must be one of a, b; got null')
    expect(() => checkCount(null, 'x')).toThrow('x must be a whole number ≥ 1, got null')
    expect(() => checkFunction(null, 'x')).toThrow('x must be a function, got null')
    expect(() => checkNumber(null, 'x', 0, 1)).toThrow('x must be a number from 0 to 1, got null')
  })

  it.each([0, -1, 1.5, Number.NaN, '5'])('takes no %s for a count', (given) => {
    expect(() => checkCount(given, 'x')).toThrow('x must be a whole number ≥ 1')
  })

  it('takes Infinity for a count without a bound', () => {
    expect(() => checkCount(Number.POSITIVE_INFINITY, 'x')).not.toThrow()
  })
})
