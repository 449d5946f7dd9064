import zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { envelopeLength, HEADER_BYTES, readHeader } from '../../src/envelope/header.ts'
import { open, openAsync } from '../../src/envelope/open.ts'
import {
  type CompressionOptions,
  type EnvelopeFields,
  seal,
  sealAsync,
} from '../../src/envelope/seal.ts'
import { isResilienceError } from '../../src/kernel/errors.ts'
import { COMPRESSIBLE, fields, SAMPLE } from './sample-fields.ts'

const algorithms = ['none', 'gzip', 'brotli', 'zstd'] as const
const compression = fc.option(
  fc.record<CompressionOptions>({
    algorithm: fc.constantFrom(...algorithms),
    minBytes: fc.nat(400),
  }),
  { nil: undefined },
)

const HUGE = Buffer.alloc(64 * 1024 * 1024 + 1)

function entryOf({ keyText: _, ...entry }: EnvelopeFields) {
  return { ...entry, payload: Buffer.from(entry.payload) }
}

function opened(bytes: Uint8Array, { codecId, keyText }: EnvelopeFields) {
  const result = open(bytes, { codecId, keyText })
  return result.ok ? { ...result.entry, payload: Buffer.from(result.entry.payload) } : result
}

/** Wherever bytes come from, they may begin in the middle of a larger buffer. */
function offCentre(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('odd'), bytes, Buffer.from('more')]).subarray(
    3,
    3 + bytes.length,
  )
}

describe('an envelope', () => {
  it('gives back what was sealed', async () => {
    await fc.assert(
      fc.asyncProperty(fields, compression, async (sealed, how) => {
        const bytes = offCentre(seal(sealed, how))
        expect(opened(bytes, sealed)).toEqual(entryOf(sealed))
        const later = await openAsync(await sealAsync(sealed, how), sealed)
        expect(later.ok && Buffer.from(later.entry.payload)).toEqual(Buffer.from(sealed.payload))
      }),
      { numRuns: 500 },
    )
  })

  it('tells everything but tags and payload in its first 64 bytes', () => {
    const bytes = seal(SAMPLE)
    const header = readHeader(bytes.subarray(0, HEADER_BYTES))
    const { epoch, stampSequence, createdAt, freshUntil, staleUntil, loadMs } = SAMPLE
    expect(header).toMatchObject({
      epoch,
      stampSequence,
      createdAt,
      freshUntil,
      staleUntil,
      loadMs,
      compression: 'none',
    })
    expect(readHeader(bytes.subarray(0, HEADER_BYTES - 1))).toBeUndefined()
    expect(readHeader(Buffer.from('x'.repeat(100)))).toBeUndefined()
  })

  it('rounds the load time up and keeps it within its field', () => {
    const loadMs = (ms: number) => readHeader(seal({ ...SAMPLE, loadMs: ms }))?.loadMs
    expect([loadMs(0.2), loadMs(-1), loadMs(Infinity)]).toEqual([1, 0, 0xffff_ffff])
  })

  it.each([
    ['plain', seal(SAMPLE)],
    ['compressed', seal({ ...SAMPLE, payload: COMPRESSIBLE }, { algorithm: 'gzip', minBytes: 1 })],
  ])('is read as damaged after any change of one byte: %s', (_, sample) => {
    const reasons = ['foreign', 'foreign', 'version']
    for (const flip of [1, 0x80, 0xff]) {
      for (const [at, byte] of sample.entries()) {
        const bytes = Buffer.from(sample)
        bytes[at] = byte ^ flip
        const reason = reasons[at] ?? 'corrupt'
        expect(opened(bytes, SAMPLE), `byte ${at}`).toEqual({ ok: false, reason })
      }
    }
  })

  it('is refused after any change of one bit of its header, by its header alone and as a whole', () => {
    const sample = seal(SAMPLE)
    for (let bit = 0; bit < 8 * HEADER_BYTES; bit++) {
      const bytes = Buffer.from(sample)
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(readHeader(bytes.subarray(0, HEADER_BYTES)), `bit ${bit}`).toBeUndefined()
      expect(open(bytes, SAMPLE).ok, `bit ${bit}`).toBe(false)
    }
  })

  it('is read as damaged when its header and the rest are of two envelopes', () => {
    const older = seal(SAMPLE)
    const newer = seal({
      ...SAMPLE,
      stampSequence: 7,
      payload: Buffer.alloc(SAMPLE.payload.length),
    })
    const torn = Buffer.concat([newer.subarray(0, HEADER_BYTES), older.subarray(HEADER_BYTES)])
    expect(readHeader(torn)?.stampSequence).toBe(7)
    expect(opened(torn, SAMPLE)).toEqual({ ok: false, reason: 'corrupt' })
  })

  it('is read as damaged when it is cut anywhere or has something behind it', () => {
    const sample = seal(SAMPLE)
    for (let length = 0; length < sample.length; length++) {
      const reason = length < 2 ? 'foreign' : 'corrupt'
      expect(opened(sample.subarray(0, length), SAMPLE)).toEqual({ ok: false, reason })
    }
    expect(opened(Buffer.concat([sample, Buffer.of(0)]), SAMPLE)).toEqual({
      ok: false,
      reason: 'corrupt',
    })
  })

  it('is not seen in the bytes of others', () => {
    const others = ['', '{"value":1}', 'x'.repeat(500), zlib.gzipSync('x'), Buffer.alloc(200)]
    for (const bytes of others) {
      expect(opened(Buffer.from(bytes as string), SAMPLE)).toEqual({ ok: false, reason: 'foreign' })
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(open(bytes, SAMPLE).ok).toBe(false)
      }),
    )
  })

  it('of another format version says so, whatever follows', () => {
    for (const version of [0, 1, 3, 255]) {
      const bytes = Buffer.from(seal(SAMPLE))
      bytes[2] = version
      expect(opened(bytes.subarray(0, 40), SAMPLE)).toEqual({ ok: false, reason: 'version' })
    }
  })

  it('is a miss under another codec and under another key', () => {
    const bytes = seal(SAMPLE)
    expect(open(bytes, { ...SAMPLE, codecId: 'mine' })).toEqual({ ok: false, reason: 'codec' })
    expect(open(bytes, { ...SAMPLE, keyText: '~{"id":43}' })).toEqual({ ok: false, reason: 'key' })
  })

  it('never throws, and never takes a length at its word', () => {
    // Valid checksums with impossible contents: what only a faulty writer could make.
    const lies: [number, number][] = [
      [24, 0xffff_ffff],
      [28, 0xffff_ffff],
      [24, 1],
      [24, 20],
    ]
    for (const [offset, lie] of lies) {
      const bytes = Buffer.from(seal(SAMPLE))
      const rest = bytes.length - envelopeLength({ tagBytes: 0, payloadBytes: 0 })
      bytes.writeUInt32LE(lie, offset)
      if (lie < rest) bytes.writeUInt32LE(rest - lie, 28)
      expect(opened(withChecksums(bytes), SAMPLE)).toEqual({ ok: false, reason: 'corrupt' })
    }
  })

  it('refuses tags that would not come back as they are', () => {
    for (const tag of ['\ud800', 'x'.repeat(65_536)]) {
      let error: unknown
      try {
        seal({ ...SAMPLE, tags: [tag] })
      } catch (thrown) {
        error = thrown
      }
      expect(isResilienceError(error, 'ERR_UNSERIALIZABLE')).toBe(true)
    }
    expect(opened(seal({ ...SAMPLE, tags: ['x'.repeat(65_535)] }), SAMPLE)).toHaveProperty('tags')
  })
})

describe('compression', () => {
  it.each(['gzip', 'brotli', 'zstd'] as const)(
    'with %s shrinks large payloads and leaves small ones',
    async (algorithm) => {
      const large = { ...SAMPLE, payload: COMPRESSIBLE }
      const how = { algorithm, minBytes: 1000 }
      const bytes = seal(large, how)
      expect(readHeader(bytes)?.compression).toBe(algorithm)
      expect(bytes.length).toBeLessThan(COMPRESSIBLE.length / 10)
      expect(opened(bytes, large)).toEqual(entryOf(large))
      // The bytes may differ: zstd cuts its blocks elsewhere when it is fed in pieces.
      expect(opened(await sealAsync(large, how), large)).toEqual(entryOf(large))
      const later = await openAsync(bytes, large)
      expect(later.ok && Buffer.from(later.entry.payload).equals(COMPRESSIBLE)).toBe(true)
      expect(readHeader(seal(SAMPLE, how))?.compression).toBe('none')
    },
  )

  it('keeps whichever is smaller', () => {
    const noise = { ...SAMPLE, payload: Buffer.from('0123456789abcdef') }
    expect(readHeader(seal(noise, { algorithm: 'gzip', minBytes: 1 }))?.compression).toBe('none')
  })

  it('leaves the event loop free for large payloads, and waits for nothing with small ones', () => {
    const large = { ...SAMPLE, payload: COMPRESSIBLE }
    const how = { algorithm: 'gzip', minBytes: 1 } as const
    const sealing = sealAsync(large, how)
    expect(sealing).toBeInstanceOf(Promise)
    expect(openAsync(seal(large, how), SAMPLE)).toBeInstanceOf(Promise)
    expect(sealAsync(SAMPLE, how)).toBeInstanceOf(Uint8Array)
    expect(openAsync(seal(SAMPLE, how), SAMPLE)).toHaveProperty('ok', true)
    return sealing
  })

  it.each([
    ['a bomb that claims to be small', zlib.gzipSync(Buffer.alloc(1_000_000)), 10],
    ['one that is larger than allowed', zlib.gzipSync(HUGE, { level: 1 }), HUGE.length],
    ['one that claims to be', zlib.gzipSync('x'), 2 ** 31],
    ['one shorter than it claims', zlib.gzipSync('x'), 2],
    ['no gzip at all', Buffer.from('nonsense'), 8],
  ])('is damaged: %s', async (_, packed, claimed) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(claimed)
    for (const payload of [Buffer.concat([length, packed]), length.subarray(0, 3)]) {
      const bytes = Buffer.from(seal({ ...SAMPLE, payload }))
      bytes[3] = 1
      withChecksums(bytes)
      // Only the reason: a runner that prints 64 MB of difference dies of it.
      for (const result of [open(bytes, SAMPLE), await openAsync(bytes, SAMPLE)]) {
        expect(result.ok ? 'opened' : result.reason).toBe('corrupt')
      }
    }
  })

  it('is damaged on the slow way too', async () => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(200_000)
    const bytes = Buffer.from(
      seal({ ...SAMPLE, payload: Buffer.concat([length, Buffer.from('nonsense')]) }),
    )
    bytes[3] = 2
    const result = openAsync(withChecksums(bytes), SAMPLE)
    expect(result).toBeInstanceOf(Promise)
    expect(await result).toEqual({ ok: false, reason: 'corrupt' })
  })
})

function withChecksums(bytes: Buffer): Buffer {
  const head = Buffer.concat([bytes.subarray(0, 4), bytes.subarray(8, HEADER_BYTES)])
  bytes.writeUInt32LE(zlib.crc32(head), 4)
  bytes.writeUInt32LE(zlib.crc32(bytes.subarray(0, -4)), bytes.length - 4)
  return bytes
}
