import {
  decompress,
  decompressSlowly,
  isReadable,
  lengthBefore,
  SLOW_BYTES,
} from './compression.ts'
import {
  type Compression,
  type EnvelopeHeader,
  HEADER_BYTES,
  type HeaderFault,
  readWhole,
} from './header.ts'
import { type EnvelopeFields, hashOf } from './seal.ts'
import { decodeTags } from './tag-section.ts'

/** What came out of an envelope. The payload may be a view of the bytes that were opened. */
export type OpenedEntry = Omit<EnvelopeFields, 'keyText'>

/**
 * Why an envelope is a miss. `foreign`: not one of ours. `version`: another format, or a compression
 * this Node lacks. `corrupt`: damaged or cut. `codec`: written by another codec. `key`: written
 * under another key.
 */
export type OpenFault = HeaderFault | 'codec' | 'key'

export type Opened =
  | { readonly ok: true; readonly entry: OpenedEntry }
  | { readonly ok: false; readonly reason: OpenFault }

export interface Expected {
  readonly codecId: string
  readonly keyText: string
}

/**
 * The entry in `bytes`, checked in full, or why there is none. Never throws, and makes room for
 * nothing whose length it has not checked: at most 64 MiB come out of a compressed payload.
 */
export function open(bytes: Uint8Array, expected: Expected): Opened {
  return inflated(check(bytes, expected))
}

/**
 * Like `open`, but what takes more than 64 KiB when decompressed is decompressed on another thread.
 * Returns the result at once where nothing is to be waited for: `await` takes both. Never rejects.
 */
export function openAsync(bytes: Uint8Array, expected: Expected): Opened | Promise<Opened> {
  const checked = check(bytes, expected)
  if (!checked.ok || checked.packed === undefined || checked.packed.length <= SLOW_BYTES) {
    return inflated(checked)
  }
  const { compression, length } = checked.packed
  return decompressSlowly(checked.entry.payload as Buffer, compression, length).then(
    (payload): Opened => ({ ok: true, entry: { ...checked.entry, payload } }),
    () => fault('corrupt'),
  )
}

interface Packed {
  readonly compression: Exclude<Compression, 'none'>
  readonly length: number
}

type Fault = Extract<Opened, { ok: false }>
type Checked = { readonly ok: true; readonly entry: OpenedEntry; readonly packed?: Packed } | Fault

function check(bytes: Uint8Array, expected: Expected): Checked {
  const header = readWhole(bytes)
  if (typeof header === 'string') return fault(header)
  if (header.codecHash !== hashOf(expected.codecId)) return fault('codec')
  if (header.keyHash !== hashOf(expected.keyText)) return fault('key')
  return contents(bytes, header, expected.codecId)
}

function contents(bytes: Uint8Array, header: EnvelopeHeader, codecId: string): Checked {
  const whole = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const payloadAt = HEADER_BYTES + header.tagBytes
  const payload = whole.subarray(payloadAt, payloadAt + header.payloadBytes)
  const tags = decodeTags(whole, HEADER_BYTES, payloadAt)
  if (tags === undefined) return fault('corrupt')
  const { epoch, stampSequence, createdAt, freshUntil, staleUntil, loadMs, compression } = header
  const entry = {
    codecId,
    epoch,
    stampSequence,
    createdAt,
    freshUntil,
    staleUntil,
    loadMs,
    tags,
    payload,
  }
  if (compression === 'none') return { ok: true, entry }
  if (!isReadable(compression)) return fault('version')
  const length = lengthBefore(payload)
  return length === undefined
    ? fault('corrupt')
    : { ok: true, entry, packed: { compression, length } }
}

function inflated(checked: Checked): Opened {
  if (!checked.ok) return checked
  const { entry, packed } = checked
  if (packed === undefined) return { ok: true, entry }
  try {
    const payload = decompress(entry.payload as Buffer, packed.compression, packed.length)
    return { ok: true, entry: { ...entry, payload } }
  } catch {
    return fault('corrupt')
  }
}

function fault(reason: OpenFault): Fault {
  return { ok: false, reason }
}
