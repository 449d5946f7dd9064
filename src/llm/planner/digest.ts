import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'

/** What is remembered of a piece of text. */
export interface Digest {
  /** 132 bits of SHA-256; nothing of the text can be read from it. */
  readonly key: string
  /** Of its UTF-8. */
  readonly bytes: number
  /** Of its UTF-8 as JSON. */
  readonly jsonBytes: number
}

/** Digests of text: those of what was seen lately are remembered, so that only new text is hashed. */
export interface DigestMemo {
  of(text: string): Digest
}

const KEY_LENGTH = 22

export function digestOf(text: string): Digest {
  return {
    key: digestKey(text),
    bytes: Buffer.byteLength(text),
    jsonBytes: Buffer.byteLength(JSON.stringify(text)),
  }
}

export function digestKey(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, KEY_LENGTH)
}

/** V8 hashes longer text by its length alone, and a map of such text would be a list. */
const LONG = 16_000
const LONG_OF_ONE_LENGTH = 4

interface Generation {
  readonly texts: Map<string, Digest>
  readonly long: Map<number, Array<{ readonly text: string; readonly digest: Digest }>>
  chars: number
}

/**
 * Two generations of about `maxChars` characters each: what is not asked for while one fills is gone.
 * A conversation sends all of its past with every turn, so the past is nearly always found.
 */
export function createDigestMemo(maxChars: number): DigestMemo {
  let young = emptyGeneration()
  let old = emptyGeneration()

  return {
    of(text) {
      const known = find(young, text)
      if (known) return known
      const digest = find(old, text) ?? digestOf(text)
      if (text.length > maxChars) return digest
      if (young.chars > maxChars) {
        old = young
        young = emptyGeneration()
      }
      keep(young, text, digest)
      return digest
    },
  }
}

function emptyGeneration(): Generation {
  return { texts: new Map(), long: new Map(), chars: 0 }
}

function find(generation: Generation, text: string): Digest | undefined {
  if (text.length < LONG) return generation.texts.get(text)
  return generation.long.get(text.length)?.find((one) => one.text === text)?.digest
}

function keep(generation: Generation, text: string, digest: Digest): void {
  generation.chars += text.length + KEY_LENGTH
  if (text.length < LONG) {
    generation.texts.set(text, digest)
    return
  }
  const same = generation.long.get(text.length)
  if (!same) generation.long.set(text.length, [{ text, digest }])
  else {
    same.unshift({ text, digest })
    same.length = Math.min(same.length, LONG_OF_ONE_LENGTH)
  }
}
