import { zlib } from '../kernel/builtin.ts'

// What L2 keeps for an entry: a header of 64 bytes, the tags, the payload. Numbers are
// little-endian, instants are milliseconds since 1970 of the store's clock as IEEE doubles, so that
// Infinity (never) fits.
//
//   offset  size  field
//        0     2  magic F5 52: F5 occurs in no text, so nothing readable is taken for an envelope
//        2     1  format version, 1
//        3     1  compression of the payload: 0 none, 1 gzip, 2 brotli, 3 zstd
//        4     4  CRC-32 of all other bytes, the tags and the payload included
//        8     4  CRC-32 of the codec id
//       12     4  CRC-32 of the logical key: an entry that ended up under another key is a miss
//       16     4  epoch
//       20     4  loadMs: how long the origin took
//       24     4  length of the tags
//       28     4  length of the payload, as stored
//       32     8  createdAt
//       40     8  freshUntil
//       48     8  staleUntil
//       56     8  stampSequence, an integer below 2^53 as a double
//       64        tags, each: length in bytes (2), UTF-8
//        …        payload; when compressed: its length before (4), the compressed bytes
//
// The first 64 bytes say all that decides whether an entry is still good, so a copy in L1 can be
// revalidated with `GETRANGE key 0 63`. The checksum needs the whole envelope.

export const HEADER_BYTES = 64
const FORMAT_VERSION = 1

const MAGIC_0 = 0xf5
const MAGIC_1 = 0x52

export type Compression = 'none' | 'gzip' | 'brotli' | 'zstd'

/** The index is the stored number. */
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'brotli', 'zstd']

/** The checksum starts with the four bytes before it, of which only the last varies. */
let crcStarts: readonly number[] | undefined

/** What the first 64 bytes of an envelope say. */
export interface EnvelopeHeader {
  readonly compression: Compression
  readonly codecHash: number
  readonly keyHash: number
  readonly epoch: number
  readonly stampSequence: number
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly loadMs: number
  readonly tagBytes: number
  readonly payloadBytes: number
}

/** `foreign`: not an envelope at all. `version`: of a release with another format. */
export type HeaderFault = 'foreign' | 'version' | 'corrupt'

/** Why these bytes do not begin with a header of this format, or `undefined` if they do. */
export function headerFault(bytes: Uint8Array): HeaderFault | undefined {
  if (bytes[0] !== MAGIC_0 || bytes[1] !== MAGIC_1) return 'foreign'
  if (bytes.length > 2 && bytes[2] !== FORMAT_VERSION) return 'version'
  if (bytes.length < HEADER_BYTES || COMPRESSIONS[bytes[3] as number] === undefined)
    return 'corrupt'
  return undefined
}

/**
 * The header of an envelope of which at least the first 64 bytes are given, unchecked by the
 * checksum; `undefined` for anything else.
 */
export function readHeader(bytes: Uint8Array): EnvelopeHeader | undefined {
  if (headerFault(bytes) !== undefined) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  return {
    compression: COMPRESSIONS[view.getUint8(3)] as Compression,
    codecHash: view.getUint32(8, true),
    keyHash: view.getUint32(12, true),
    epoch: view.getUint32(16, true),
    loadMs: view.getUint32(20, true),
    tagBytes: view.getUint32(24, true),
    payloadBytes: view.getUint32(28, true),
    createdAt: view.getFloat64(32, true),
    freshUntil: view.getFloat64(40, true),
    staleUntil: view.getFloat64(48, true),
    stampSequence: view.getFloat64(56, true),
  }
}

/** Writes the header; everything behind it must be in place, for the checksum. */
export function writeHeader(bytes: Uint8Array, header: EnvelopeHeader): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  view.setUint8(0, MAGIC_0)
  view.setUint8(1, MAGIC_1)
  view.setUint8(2, FORMAT_VERSION)
  view.setUint8(3, COMPRESSIONS.indexOf(header.compression))
  view.setUint32(8, header.codecHash, true)
  view.setUint32(12, header.keyHash, true)
  view.setUint32(16, header.epoch, true)
  view.setUint32(20, header.loadMs, true)
  view.setUint32(24, header.tagBytes, true)
  view.setUint32(28, header.payloadBytes, true)
  view.setFloat64(32, header.createdAt, true)
  view.setFloat64(40, header.freshUntil, true)
  view.setFloat64(48, header.staleUntil, true)
  view.setFloat64(56, header.stampSequence, true)
  view.setUint32(4, checksum(bytes), true)
}

/** Whether nothing was damaged since `writeHeader`. */
export function isIntact(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  return view.getUint32(4, true) === checksum(bytes)
}

function checksum(bytes: Uint8Array): number {
  const { crc32 } = zlib()
  crcStarts ??= COMPRESSIONS.map((_, number) =>
    crc32(Uint8Array.of(MAGIC_0, MAGIC_1, FORMAT_VERSION, number)),
  )
  return crc32(bytes.subarray(8), crcStarts[bytes[3] as number] as number)
}
