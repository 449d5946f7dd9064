import { zlib } from '../kernel/builtin.ts'
import { available, compress, compressSlowly, LARGEST_BYTES, SLOW_BYTES } from './compression.ts'
import { type Compression, envelopeLength, HEADER_BYTES, writeAround } from './header.ts'
import { encodeTags } from './tag-section.ts'

/** What an envelope carries. Instants are in milliseconds of the store's clock, or Infinity. */
export interface EnvelopeFields {
  readonly codecId: string
  /** The logical key. Only a hash of it is stored, as a guard against mixed-up entries. */
  readonly keyText: string
  /** 32 bits. */
  readonly epoch: number
  /** Present number of the sequence when the load began; below 2^53. */
  readonly stampSequence: number
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  /** How long the origin took, in milliseconds; rounded up. */
  readonly loadMs: number
  readonly tags: readonly string[]
  readonly payload: Uint8Array
}

export interface CompressionOptions {
  /** `zstd` means `brotli` on a Node that lacks it (before 22.15). */
  readonly algorithm: Compression
  /** Smaller payloads stay as they are. */
  readonly minBytes: number
}

/**
 * The envelope as bytes. A compressed payload is kept only where it is the smaller one.
 * @throws ERR_UNSERIALIZABLE for a tag that cannot be stored
 */
export function seal(fields: EnvelopeFields, compression?: CompressionOptions): Uint8Array {
  const algorithm = algorithmFor(fields.payload, compression)
  if (algorithm === 'none') return join(fields, 'none', fields.payload)
  return smaller(fields, algorithm, compress(fields.payload, algorithm))
}

/**
 * Like `seal`, but compresses a payload over 64 KiB on another thread. Returns the bytes at once
 * where nothing is to be waited for: `await` takes both.
 * @throws ERR_UNSERIALIZABLE like `seal`, at once or as a rejection
 */
export function sealAsync(
  fields: EnvelopeFields,
  compression?: CompressionOptions,
): Uint8Array | Promise<Uint8Array> {
  const algorithm = algorithmFor(fields.payload, compression)
  if (algorithm === 'none' || fields.payload.length <= SLOW_BYTES) return seal(fields, compression)
  return compressSlowly(fields.payload, algorithm).then((packed) =>
    smaller(fields, algorithm, packed),
  )
}

/** The hash of a codec id or a logical key, as the header has it. */
export function hashOf(text: string): number {
  return zlib().crc32(text)
}

function algorithmFor(payload: Uint8Array, options: CompressionOptions | undefined): Compression {
  if (!options || payload.length < options.minBytes || payload.length > LARGEST_BYTES) return 'none'
  return available(options.algorithm)
}

function smaller(fields: EnvelopeFields, algorithm: Compression, packed: Uint8Array): Uint8Array {
  return packed.length < fields.payload.length
    ? join(fields, algorithm, packed)
    : join(fields, 'none', fields.payload)
}

function join(fields: EnvelopeFields, compression: Compression, payload: Uint8Array): Uint8Array {
  const tags = encodeTags(fields.tags)
  const lengths = { tagBytes: tags.length, payloadBytes: payload.length }
  const bytes = Buffer.allocUnsafe(envelopeLength(lengths))
  bytes.set(tags, HEADER_BYTES)
  bytes.set(payload, HEADER_BYTES + tags.length)
  writeAround(bytes, {
    compression,
    codecHash: hashOf(fields.codecId),
    keyHash: hashOf(fields.keyText),
    epoch: fields.epoch,
    stampSequence: fields.stampSequence,
    createdAt: fields.createdAt,
    freshUntil: fields.freshUntil,
    staleUntil: fields.staleUntil,
    loadMs: Math.min(Math.max(0, Math.ceil(fields.loadMs)), 0xffff_ffff),
    ...lengths,
  })
  return bytes
}
