import { ResilienceError } from '../kernel/errors.ts'

const LONGEST_TAG = 0xffff
const LONE_SURROGATE = /\p{Cs}/u

/**
 * The tags of an entry as bytes: each its length (2, little-endian) and its UTF-8.
 * @throws ERR_UNSERIALIZABLE for a tag that would not come back as it is: over 65,535 bytes, or with
 * half a surrogate pair. Such an entry could not be invalidated.
 */
export function encodeTags(tags: readonly string[]): Uint8Array {
  if (tags.length === 0) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  for (const tag of tags) {
    const text = Buffer.from(tag)
    if (text.length > LONGEST_TAG || LONE_SURROGATE.test(tag)) {
      throw new ResilienceError(
        'ERR_UNSERIALIZABLE',
        'A tag is longer than 65,535 bytes or not well-formed Unicode, so L2 cannot hold the entry. Use short, plain tags.',
      )
    }
    parts.push(Uint8Array.of(text.length & 0xff, text.length >> 8), text)
  }
  return Buffer.concat(parts)
}

/** The tags between two places, or `undefined` where these bytes are no list of tags. */
export function decodeTags(bytes: Buffer, from: number, to: number): string[] | undefined {
  const tags: string[] = []
  let offset = from
  while (offset < to) {
    if (offset + 2 > to) return undefined
    const start = offset + 2
    offset = start + bytes.readUInt16LE(offset)
    if (offset > to) return undefined
    tags.push(bytes.toString('utf8', start, offset))
  }
  return tags
}
