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

function digestOf(text: string): Digest {
  return {
    key: digestKey(text),
    bytes: Buffer.byteLength(text),
    jsonBytes: Buffer.byteLength(JSON.stringify(text)),
  }
}

export function digestKey(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, KEY_LENGTH)
}

/**
 * Longer text is found by a sample of its characters and then compared: a map would have V8 hash all of
 * it, character by character, which takes many times as long as comparing.
 */
const LONG = 100
const SAMPLES = 8
const MOST_ALIKE = 4

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
  return generation.long.get(sampleOf(text))?.find((one) => one.text === text)?.digest
}

function keep(generation: Generation, text: string, digest: Digest): void {
  generation.chars += text.length + KEY_LENGTH
  if (text.length < LONG) {
    generation.texts.set(text, digest)
    return
  }
  const sample = sampleOf(text)
  const alike = generation.long.get(sample)
  if (!alike) generation.long.set(sample, [{ text, digest }])
  else {
    alike.unshift({ text, digest })
    alike.length = Math.min(alike.length, MOST_ALIKE)
  }
}

/** A small number, from the length and from characters all over the text. */
function sampleOf(text: string): number {
  let sample = text.length
  const last = text.length - 1
  for (let index = 0; index < SAMPLES; index++) {
    sample = (Math.imul(sample, 31) + text.charCodeAt(((index * last) / (SAMPLES - 1)) | 0)) | 0
  }
  return sample
}
