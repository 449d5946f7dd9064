import type { Codec } from '../../contracts/codec.ts'
import { ResilienceError } from '../../kernel/errors.ts'

/** What is stored of a stream that has ended well. */
export interface Recording<T> {
  readonly items: readonly T[]
  /** Before each item, since the one before it; before the first: since the call. Whole milliseconds. */
  readonly gaps: readonly number[]
}

/** Put before the version of a function: recordings of another format are not found. */
export const RECORDING_FORMAT = 'stream-1'

/**
 * A codec of recordings from one of items: the number of items, then for each its gap, the length of its
 * bytes, and these. Numbers are unsigned LEB128 (https://en.wikipedia.org/wiki/LEB128).
 */
export function recordingCodec<T>(codec: Codec<T>): Codec<Recording<T>> {
  return {
    id: `stream:${codec.id}`,
    encode({ items, gaps }) {
      const parts: Uint8Array[] = [varint(items.length)]
      items.forEach((item, i) => {
        const bytes = codec.encode(item)
        parts.push(varint(gaps[i] ?? 0), varint(bytes.byteLength), bytes)
      })
      return Buffer.concat(parts)
    },
    decode(bytes) {
      const reader = new Reader(bytes)
      const items: T[] = []
      const gaps: number[] = []
      for (let left = reader.number(); left > 0; left--) {
        gaps.push(reader.number())
        items.push(codec.decode(reader.bytes(reader.number())))
      }
      reader.end()
      return { items, gaps }
    },
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined || factor > Number.MAX_SAFE_INTEGER) throw unreadable()
      value += (byte % 128) * factor
      if (byte < 128) return value
    }
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.byteLength) throw unreadable()
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }

  end(): void {
    if (this.#at !== this.#bytes.byteLength) throw unreadable()
  }
}

function unreadable(): ResilienceError {
  return new ResilienceError('ERR_UNSERIALIZABLE', 'these bytes are no recording of a stream')
}
