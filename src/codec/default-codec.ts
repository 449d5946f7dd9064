import { isAscii, isUtf8 } from 'node:buffer'
import type { Codec } from '../contracts/codec.ts'
import { isPlainJson } from './plain-json.ts'
import { taggedText } from './tagged-text.ts'
import { untagged } from './tagged-values.ts'

// Format `rc1`. The first byte says how to read the rest:
//
//   J  JSON in UTF-8: a value that JSON carries as it is
//   T  tagged JSON in UTF-8: everything else
//   B  raw bytes: a Buffer        U  raw bytes: a Uint8Array
//
// In tagged JSON an object with a member "$" stands for something JSON lacks. It has exactly two
// members, the tag "$" and the content "v":
//
//   undefined       null                        bigint          "-12"
//   number          "NaN" "Infinity" "-Infinity" "-0"
//   Date            ms since 1970, null = invalid
//   RegExp          [source, flags]             URL             href
//   Map             [[key, value], ...]         Set             [item, ...]
//   Object          [[name, value], ...]        an object that has a member "$" itself
//   null-prototype  [[name, value], ...]        an object without a prototype
//   Buffer, ArrayBuffer, DataView, Uint8Array and the other typed arrays: base64 of the bytes,
//                   numbers in little-endian order
//
// All other objects, arrays and scalars are themselves. It is text, not `v8.serialize`, because
// entries outlive an upgrade of Node, other languages read them, and a parser that only makes data
// cannot be talked into anything else.
//
// Not kept: which members are the same object, the `lastIndex` of a RegExp, members that are not
// enumerable. A getter is stored as its value. Refused: cycles, functions, symbols, holes in arrays,
// instances of classes, errors among them.

const JSON_TEXT = 'J'.charCodeAt(0)
const TAGGED_TEXT = 'T'.charCodeAt(0)
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

const BUFFER = 'B'.charCodeAt(0)
const UINT8_ARRAY = 'U'.charCodeAt(0)

/**
 * Carries values to L2 and back equal in kind and content.
 *
 * `encode` throws ERR_UNSERIALIZABLE for functions, symbols, cycles and instances of classes.
 */
export const defaultCodec: Codec = {
  // A machine with the other byte order reads no typed arrays of this one, and the reverse.
  id: isLittleEndian ? 'rc1' : 'rc1-be',

  encode(value) {
    if (ArrayBuffer.isView(value)) {
      const form = rawForm(value)
      if (form !== undefined) return raw(form, value as Uint8Array)
    }
    if (isPlainJson(value)) return Buffer.from(`J${JSON.stringify(value)}`)
    return Buffer.from(`T${taggedText(value, [])}`)
  },

  decode(bytes) {
    const whole = asBuffer(bytes)
    switch (whole[0]) {
      case JSON_TEXT:
        return JSON.parse(textOf(whole))
      case TAGGED_TEXT:
        return untagged(JSON.parse(textOf(whole)))
      // Copies: the reply of the store that they are part of must not stay in memory with them.
      case BUFFER:
        return Buffer.from(whole.subarray(1))
      case UINT8_ARRAY:
        return new Uint8Array(whole.subarray(1))
    }
    throw new SyntaxError('Unknown form of an encoded value')
  },
}

function rawForm(value: ArrayBufferView): number | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Buffer.prototype) return BUFFER
  return prototype === Uint8Array.prototype ? UINT8_ARRAY : undefined
}

function raw(form: number, value: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(value.byteLength + 1)
  bytes[0] = form
  bytes.set(value, 1)
  return bytes
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What is behind the form. Plain ASCII is read, and then parsed, in two thirds of the time. */
function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1', 1)
  if (!isUtf8(bytes)) throw new SyntaxError('Not UTF-8')
  return bytes.toString('utf8', 1)
}
