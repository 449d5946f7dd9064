import { describe, expect, it } from 'vitest'
import { defaultCodec } from '../../src/codec/default-codec.ts'
import { open } from '../../src/envelope/open.ts'
import { seal } from '../../src/envelope/seal.ts'
import { GOLDEN_GZIP, GOLDEN_PLAIN } from './golden-format-2.ts'
import { SAMPLE } from './sample-fields.ts'

describe('format 2', () => {
  it('is still written byte by byte as it was', () => {
    expect(Buffer.from(seal(SAMPLE)).toString('hex')).toBe(GOLDEN_PLAIN)
  })

  it('is still read', () => {
    const result = open(Buffer.from(GOLDEN_PLAIN, 'hex'), SAMPLE)
    const { keyText: _, ...entry } = SAMPLE
    expect(result).toEqual({ ok: true, entry })
    expect(result.ok && defaultCodec.decode(result.entry.payload)).toEqual({
      id: 42,
      name: 'ñandú',
    })
  })

  it('is still read when compressed', () => {
    const result = open(Buffer.from(GOLDEN_GZIP, 'hex'), SAMPLE)
    expect(result.ok && defaultCodec.decode(result.entry.payload)).toBe('abc'.repeat(60))
  })
})
