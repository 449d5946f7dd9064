import { PREFIX_BYTES } from './scripts.ts'

/** What lies under the key of an entry. */
export interface RedisRecord {
  readonly version: number
  readonly freshUntil: number
  readonly epoch: number
  /** A view of the reply: values are large, and nobody writes to a reply. */
  readonly bytes: Uint8Array
}

/** `undefined` for what another program stored there. */
export function parseRecord(value: Buffer): RedisRecord | undefined {
  if (value.length < PREFIX_BYTES) return undefined
  return {
    version: value.readDoubleLE(0),
    freshUntil: value.readDoubleLE(8),
    epoch: value.readUInt32LE(16),
    bytes: value.subarray(PREFIX_BYTES),
  }
}

/** The same as `struct.pack('<ddI4', …)` of the scripts, for servers that run none. */
export function packRecord({ version, freshUntil, epoch, bytes }: RedisRecord): Buffer {
  const value = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length)
  value.writeDoubleLE(version, 0)
  value.writeDoubleLE(freshUntil, 8)
  value.writeUInt32LE(epoch, 16)
  value.set(bytes, PREFIX_BYTES)
  return value
}
