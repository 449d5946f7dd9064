import { zlib } from '../kernel/builtin.ts'

// What L2 keeps for an entry: a header of 64 bytes, the tags, the payload, a checksum. Numbers are
// little-endian, instants are milliseconds since 1970 of the store's clock as IEEE doubles, so that
// Infinity (never) fits.
//
//   offset  size  field
//        0     2  magic F5 52: F5 occurs in no text, so nothing readable is taken for an envelope
//        2     1  format version, 2
//        3     1  compression of the payload: 0 none, 1 gzip, 2 brotli, 3 zstd
//        4     4  CRC-32 of the other 60 bytes of the header
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
//        …     4  CRC-32 of all bytes before it, so that a whole envelope takes one check
//
// The first 64 bytes say all that decides whether an entry is still good, so a copy in L1 can be
// revalidated with `GETRANGE key 0 63`: hence a checksum of their own.
// Format 1 had none: its bytes 4 to 7 were the CRC-32 of everything else, with nothing at the end.

export const HEADER_BYTES = 64
const FORMAT_VERSION = 2

const CHECKED_FROM = 8
const END_BYTES = 4

const MAGIC_0 = 0xf5
const MAGIC_1 = 0x52

export type Compression = 'none' | 'gzip' | 'brotli' | 'zstd'

/** The index is the stored number. */
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'brotli', 'zstd']

/** The checksum of a header starts with the four bytes before it, of which only the last varies. */
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

/** The header that `bytes` begin with, be there more or not; `undefined` unless it is undamaged. */
export function readHeader(bytes: Uint8Array): EnvelopeHeader | undefined {
  if (headerFault(bytes) !== undefined) return undefined
  const view = viewOf(bytes)
  return view.getUint32(4, true) === headerChecksum(bytes) ? fieldsOf(view) : undefined
}

/** The header of a whole envelope, of which every byte is checked, or what is wrong with it. */
export function readWhole(bytes: Uint8Array): EnvelopeHeader | HeaderFault {
  const fault = headerFault(bytes)
  if (fault !== undefined) return fault
  const view = viewOf(bytes)
  const header = fieldsOf(view)
  if (envelopeLength(header) !== bytes.length) return 'corrupt'
  return view.getUint32(bytes.length - END_BYTES, true) === endChecksum(bytes) ? header : 'corrupt'
}

export function envelopeLength({
  tagBytes,
  payloadBytes,
}: Pick<EnvelopeHeader, 'tagBytes' | 'payloadBytes'>): number {
  return HEADER_BYTES + tagBytes + payloadBytes + END_BYTES
}

function fieldsOf(view: DataView): EnvelopeHeader {
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

/** Writes the header and the checksum at the end; what lies between them must be in place. */
export function writeAround(bytes: Uint8Array, header: EnvelopeHeader): void {
  const view = viewOf(bytes)
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
  view.setUint32(4, headerChecksum(bytes), true)
  view.setUint32(bytes.length - END_BYTES, endChecksum(bytes), true)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function headerChecksum(bytes: Uint8Array): number {
  const { crc32 } = zlib()
  crcStarts ??= COMPRESSIONS.map((_, number) =>
    crc32(Uint8Array.of(MAGIC_0, MAGIC_1, FORMAT_VERSION, number)),
  )
  const start = crcStarts[bytes[3] as number] as number
  return crc32(bytes.subarray(CHECKED_FROM, HEADER_BYTES), start)
}

function endChecksum(bytes: Uint8Array): number {
  return zlib().crc32(bytes.subarray(0, -END_BYTES))
}
