import { zlib } from '../kernel/builtin.ts'
import type { Compression } from './header.ts'

// A compressed payload starts with its length before, so that a reader knows what to expect before
// it makes room for it, and never inflates more than that.

/** Larger payloads would not be inflated again, so they are not compressed either. */
export const LARGEST_BYTES = 64 * 1024 * 1024

/** From this size on, (de)compressing on the main thread would be felt by other requests. */
export const SLOW_BYTES = 64 * 1024

const LENGTH_BYTES = 4

type Packed = Exclude<Compression, 'none'>

interface Method {
  pack(bytes: Uint8Array): Buffer
  packSlowly(bytes: Uint8Array): Promise<Buffer>
  unpack(bytes: Uint8Array, length: number): Buffer
  unpackSlowly(bytes: Uint8Array, length: number): Promise<Buffer>
}

type Options = Record<string, unknown>
type Sync = (bytes: Uint8Array, options: Options) => Buffer
type Slow = (
  bytes: Uint8Array,
  options: Options,
  done: (error: Error | null, out: Buffer) => void,
) => void

function method(pack: Sync, packSlow: Slow, unpack: Sync, unpackSlow: Slow, how: Options): Method {
  // zlib takes no limit below 1.
  const limit = (length: number) => ({ maxOutputLength: Math.max(1, length) })
  return {
    pack: (bytes) => pack(bytes, how),
    packSlowly: (bytes) => promised(packSlow, bytes, how),
    unpack: (bytes, length) => unpack(bytes, limit(length)),
    unpackSlowly: (bytes, length) => promised(unpackSlow, bytes, limit(length)),
  }
}

function promised(work: Slow, bytes: Uint8Array, options: Options): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    work(bytes, options, (error, out) => (error ? reject(error) : resolve(out)))
  })
}

/** Made at the first use: zlib is loaded for those who compress, not for everybody. */
const MAKERS: Readonly<Record<Packed, () => Method | undefined>> = {
  gzip() {
    const { gzip, gzipSync, gunzip, gunzipSync } = zlib()
    return method(gzipSync, gzip, gunzipSync, gunzip, {})
  },
  brotli() {
    const { brotliCompress, brotliCompressSync, brotliDecompress, brotliDecompressSync } = zlib()
    // The default, 11, is made for files that are compressed once: 100 times slower.
    const how = { params: { [zlib().constants.BROTLI_PARAM_QUALITY]: 4 } }
    return method(brotliCompressSync, brotliCompress, brotliDecompressSync, brotliDecompress, how)
  },
  zstd() {
    const { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } = zlib()
    // Node 22.13 has none.
    if (typeof zstdCompressSync !== 'function') return undefined
    return method(zstdCompressSync, zstdCompress, zstdDecompressSync, zstdDecompress, {})
  },
}

const made = new Map<Packed, Method | undefined>()

function methodFor(compression: Packed): Method | undefined {
  if (!made.has(compression)) made.set(compression, MAKERS[compression]())
  return made.get(compression)
}

/** The asked-for compression, or the next best one where this Node lacks it. */
export function available(wanted: Compression): Compression {
  return wanted === 'none' || methodFor(wanted) !== undefined ? wanted : 'brotli'
}

/** Whether this Node can read it. */
export function isReadable(compression: Compression): boolean {
  return compression === 'none' || methodFor(compression) !== undefined
}

export function compress(bytes: Uint8Array, compression: Packed): Buffer {
  return withLength(methodOf(compression).pack(bytes), bytes.length)
}

export async function compressSlowly(bytes: Uint8Array, compression: Packed): Promise<Buffer> {
  return withLength(await methodOf(compression).packSlowly(bytes), bytes.length)
}

/** The length before compression, or `undefined` where it is missing or beyond all bounds. */
export function lengthBefore(packed: Buffer): number | undefined {
  if (packed.length < LENGTH_BYTES) return undefined
  const length = packed.readUInt32LE(0)
  return length <= LARGEST_BYTES ? length : undefined
}

/** @throws RangeError and zlib's errors for anything that does not inflate to exactly `length` */
export function decompress(packed: Buffer, compression: Packed, length: number): Buffer {
  const out = methodOf(compression).unpack(packed.subarray(LENGTH_BYTES), length)
  return ofLength(out, length)
}

export async function decompressSlowly(
  packed: Buffer,
  compression: Packed,
  length: number,
): Promise<Buffer> {
  const out = await methodOf(compression).unpackSlowly(packed.subarray(LENGTH_BYTES), length)
  return ofLength(out, length)
}

function methodOf(compression: Packed): Method {
  return methodFor(compression) ?? (methodFor('brotli') as Method)
}

function withLength(packed: Buffer, length: number): Buffer {
  const head = Buffer.alloc(LENGTH_BYTES)
  head.writeUInt32LE(length)
  return Buffer.concat([head, packed])
}

function ofLength(out: Buffer, length: number): Buffer {
  if (out.length !== length) throw new RangeError('Wrong length after decompression')
  return out
}
