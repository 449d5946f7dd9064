import { promisify } from 'node:util'
// As a namespace object: Node 22.13 has no zstd, and a missing named import would not load at all.
import zlib from 'node:zlib'
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
  const packSlowly = promisify(packSlow)
  const unpackSlowly = promisify(unpackSlow)
  // zlib takes no limit below 1.
  const limit = (length: number) => ({ maxOutputLength: Math.max(1, length) })
  return {
    pack: (bytes) => pack(bytes, how),
    packSlowly: (bytes) => packSlowly(bytes, how),
    unpack: (bytes, length) => unpack(bytes, limit(length)),
    unpackSlowly: (bytes, length) => unpackSlowly(bytes, limit(length)),
  }
}

const gzip = method(zlib.gzipSync, zlib.gzip, zlib.gunzipSync, zlib.gunzip, {})

const brotli = method(
  zlib.brotliCompressSync,
  zlib.brotliCompress,
  zlib.brotliDecompressSync,
  zlib.brotliDecompress,
  // The default, 11, is made for files that are compressed once: 100 times slower.
  { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } },
)

const zstd =
  typeof zlib.zstdCompressSync === 'function'
    ? method(
        zlib.zstdCompressSync,
        zlib.zstdCompress,
        zlib.zstdDecompressSync,
        zlib.zstdDecompress,
        {},
      )
    : undefined

const METHODS: Readonly<Record<Packed, Method | undefined>> = { gzip, brotli, zstd }

/** The asked-for compression, or the next best one where this Node lacks it. */
export function available(wanted: Compression): Compression {
  return wanted === 'none' || METHODS[wanted] !== undefined ? wanted : 'brotli'
}

/** Whether this Node can read it. */
export function isReadable(compression: Compression): boolean {
  return compression === 'none' || METHODS[compression] !== undefined
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
  return METHODS[compression] ?? brotli
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
