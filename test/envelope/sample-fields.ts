import fc from 'fast-check'
import type { EnvelopeFields } from '../../src/envelope/seal.ts'

/** The entry of the golden files: never change it. */
export const SAMPLE: EnvelopeFields = {
  codecId: 'rc1',
  keyText: '~{"id":42}',
  epoch: 0xdeadbeef,
  stampSequence: 2 ** 53 - 1,
  createdAt: 1_790_000_000_123,
  freshUntil: 1_790_000_300_123,
  staleUntil: Number.POSITIVE_INFINITY,
  loadMs: 87,
  tags: ['rut:12345678-5', 'ñandú'],
  payload: Buffer.from('J{"id":42,"name":"ñandú"}'),
}

export const COMPRESSIBLE = Buffer.from('the same words again and again, '.repeat(5000))

const instant = fc.oneof(fc.double({ min: 0, max: 1e14, noNaN: true }), fc.constant(Infinity))

export const fields: fc.Arbitrary<EnvelopeFields> = fc.record({
  codecId: fc.string(),
  keyText: fc.string({ unit: 'binary' }),
  epoch: fc.nat(0xffff_ffff),
  stampSequence: fc.maxSafeNat(),
  createdAt: instant,
  freshUntil: instant,
  staleUntil: instant,
  loadMs: fc.nat(0xffff_ffff),
  tags: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat(500).map((length) => COMPRESSIBLE.subarray(0, length)),
  ),
})
