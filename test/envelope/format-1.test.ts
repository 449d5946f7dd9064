import { describe, expect, it } from 'vitest'
import { readHeader } from '../../src/envelope/header.ts'
import { open, openAsync } from '../../src/envelope/open.ts'
import { GOLDEN_GZIP, GOLDEN_PLAIN } from './golden-format-1.ts'
import { SAMPLE } from './sample-fields.ts'

describe('format 1, whose header has no checksum of its own', () => {
  it.each([
    ['plain', GOLDEN_PLAIN],
    ['compressed', GOLDEN_GZIP],
  ])('is an older format: a miss, and no head to compare with: %s', (_, golden) => {
    const bytes = Buffer.from(golden, 'hex')
    expect(open(bytes, SAMPLE)).toEqual({ ok: false, reason: 'version' })
    expect(openAsync(bytes, SAMPLE)).toEqual({ ok: false, reason: 'version' })
    expect(readHeader(bytes)).toBeUndefined()
  })
})
