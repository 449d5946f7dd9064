import { ResilienceError } from '../../kernel/errors.ts'
import { type BinaryValue, bytesOf, kindName, valueKindOf } from '../../kernel/value-kind.ts'
import { bytesText, DigestMemo } from './digest-memo.ts'
import type { Ignored } from './ignored-members.ts'
import { DATA, LEFT_OUT, type Note, type Shape } from './request-shape.ts'

// JSON by the rules of RFC 8785 (members sorted by UTF-16 units, numbers as ECMAScript writes them), plus
// what begins like no JSON:
//
//   #<43 characters>               SHA-256 of bytes
//   #<43 characters>"data:…"       the same behind a data: URL
//   \u0001"https://…"\u0001        a URL whose contents have to be asked for: JSON escapes controls
//   _                              an item of an array that the caller wants to be ignored

/** JSON of requests stays far below; what is deeper is likely a list of linked nodes. */
const DEEPEST = 500

export const URL_MARK = '\u0001'

/** Ten megabytes of a document, a few times over. */
const digests = new DigestMemo(64 * 1024 * 1024)

export interface Reading {
  readonly shape: Shape
  readonly ignored: Ignored | undefined
  readonly sortsTools: boolean
  /** URLs are to be resolved later: they are marked in the text. */
  readonly marksUrls: boolean
  readonly note: Note
}

/**
 * Canonical text of a request: equal requests share it, different ones never do.
 * @throws ERR_UNCACHEABLE_KEY for what JSON cannot say
 */
export function canonicalRequest(request: unknown, reading: Reading): string {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new ResilienceError(
      'ERR_UNCACHEABLE_KEY',
      'A request to an LLM is an object such as { model, messages }; this one is something else.',
    )
  }
  const writer = new Writer(reading)
  writer.write(request, reading.shape, reading.ignored)
  return writer.text
}

class Writer {
  text = ''
  readonly #reading: Reading
  readonly #within: object[] = []

  constructor(reading: Reading) {
    this.#reading = reading
  }

  write(value: unknown, shape: Shape, ignored: Ignored | undefined): void {
    switch (typeof value) {
      case 'string':
        this.#writeText(value, shape, ignored)
        return
      case 'number':
        if (!Number.isFinite(value)) throw uncacheable(`the number ${value}`)
        this.text += String(value)
        return
      case 'boolean':
        this.text += String(value)
        return
      case 'object':
        if (value === null) this.text += 'null'
        else this.#writeObject(value, shape, ignored)
        return
    }
    throw uncacheable(kindName(value))
  }

  #writeText(value: string, shape: Shape, ignored: Ignored | undefined): void {
    if (shape.isTextBlock) this.#writeObject([{ type: 'text', text: value }], shape, ignored)
    else if (shape.text === undefined) this.text += JSON.stringify(value)
    else if (shape.text === 'base64' || value.startsWith('data:')) {
      this.text += digests.textOf(value) ?? JSON.stringify(value)
    } else this.#writeUrl(value, shape)
  }

  #writeUrl(url: string, shape: Shape): void {
    const text = JSON.stringify(url)
    if (shape.fileUrls?.test(url)) this.text += text
    else if (this.#reading.marksUrls) this.text += URL_MARK + text + URL_MARK
    else {
      this.#reading.note('url-source')
      this.text += text
    }
  }

  #writeObject(value: object, shape: Shape, ignored: Ignored | undefined): void {
    const kind = valueKindOf(value)
    if (kind === 'Uint8Array' || kind === 'Buffer') {
      this.text += bytesText(bytesOf(value as BinaryValue))
      return
    }
    if (this.#within.includes(value)) throw uncacheable('a cycle')
    if (this.#within.length >= DEEPEST) {
      throw uncacheable(`an object more than ${DEEPEST} levels deep`)
    }
    this.#within.push(value)
    if (kind === 'array') this.#writeArray(value as unknown[], shape, ignored)
    else if (kind === 'object' || kind === 'null-prototype object') {
      this.#writeMembers(value as Record<string, unknown>, shape, ignored)
    } else throw uncacheable(kindName(value))
    this.#within.pop()
  }

  #writeMembers(value: Record<string, unknown>, shape: Shape, ignored: Ignored | undefined): void {
    shape.inspect?.(value, this.#reading.note)
    const names = Object.keys(value)
    if (names.length > 1) names.sort()
    let isFirst = true
    this.text += '{'
    for (const name of names) {
      const memberShape = shape.members?.get(name) ?? DATA
      const ignoredHere = ignored?.members.get(name)
      if (memberShape === LEFT_OUT || ignoredHere?.isWhole) continue
      const member = value[name]
      if (member === undefined || (member === null && !shape.keepsNull)) continue
      this.text += `${isFirst ? '' : ','}${JSON.stringify(name)}:`
      isFirst = false
      this.write(member, memberShape, ignoredHere)
    }
    this.text += '}'
  }

  #writeArray(value: readonly unknown[], shape: Shape, ignored: Ignored | undefined): void {
    if (shape.isToolList && this.#reading.sortsTools) {
      this.#writeSorted(value, shape, ignored)
      return
    }
    let isFirst = true
    this.text += '['
    for (let index = 0; index < value.length; index++) {
      const item = value[index]
      if (isMarker(item, shape.marker)) continue
      if (!isFirst) this.text += ','
      isFirst = false
      this.#writeItem(item, shape, ignored?.members.get(String(index)))
    }
    this.text += ']'
  }

  #writeSorted(value: readonly unknown[], shape: Shape, ignored: Ignored | undefined): void {
    const before = this.text
    const texts: string[] = []
    for (let index = 0; index < value.length; index++) {
      if (isMarker(value[index], shape.marker)) continue
      this.text = ''
      this.#writeItem(value[index], shape, ignored?.members.get(String(index)))
      texts.push(this.text)
    }
    this.text = `${before}[${texts.sort().join(',')}]`
  }

  #writeItem(item: unknown, shape: Shape, ignored: Ignored | undefined): void {
    if (ignored?.isWhole) this.text += '_'
    else this.write(item ?? null, shape.items ?? DATA, ignored)
  }
}

function isMarker(item: unknown, marker: string | undefined): boolean {
  if (marker === undefined || typeof item !== 'object' || item === null) return false
  const names = Object.keys(item)
  return names.length === 1 && names[0] === marker
}

function uncacheable(what: string): ResilienceError {
  return new ResilienceError(
    'ERR_UNCACHEABLE_KEY',
    `The request holds ${what}, which JSON cannot say. Pass plain data, as it is sent to the provider.`,
  )
}
