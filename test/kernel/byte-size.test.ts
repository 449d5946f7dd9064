import { describe, expect, it } from 'vitest'
import { toBytes } from '../../src/kernel/byte-size.ts'

describe('toBytes', () => {
  it.each([
    [1, 1],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['512b', 512],
    ['64kb', 65_536],
    ['64mb', 67_108_864],
    ['1gb', 1_073_741_824],
    ['1.5KB', 1536],
    [' 2 mb ', 2_097_152],
  ])('reads %j as %d bytes', (given, bytes) => {
    expect(toBytes(given, 'maxBytes')).toBe(bytes)
  })

  it.each([0, -1, Number.NaN, '0kb', '-1kb', '64', '64k', '64MiB', '', null, undefined, true, {}])(
    'refuses %s',
    (given) => {
      expect(() => toBytes(given, 'maxBytes')).toThrow(/^maxBytes must be a size: .*'64kb'.*; got /)
    },
  )
})
