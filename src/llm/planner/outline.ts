import type { DigestMemo } from './digest.ts'

/** Members that ask for caching and are not part of the prompt. */
export function isMark(name: string): boolean {
  return name === 'cache_control' || name === 'prompt_cache_breakpoint'
}

/**
 * JSON with digests in the place of texts, and the size that the JSON itself would have. The texts of a
 * conversation come again with every turn, and their digests are known: nothing long is written or hashed.
 */
export class Outline {
  text = ''
  /** Of the UTF-8 of the JSON. */
  jsonBytes = 0
  readonly #memo: DigestMemo

  constructor(memo: DigestMemo) {
    this.#memo = memo
  }

  /** @param isBlock markers are left out */
  addObject(object: object, isBlock = false): void {
    this.#write('{')
    let members = 0
    for (const name of Object.keys(object)) {
      const value = (object as Record<string, unknown>)[name]
      if (!isWritten(value) || (isBlock && isMark(name))) continue
      // Keys of digests are of one length: nothing needs to stand between them.
      this.jsonBytes += members++ > 0 ? 2 : 1
      this.#addText(name)
      this.#add(value, name)
    }
    this.#write('}')
  }

  #add(value: unknown, name: string): void {
    if (typeof value === 'string') this.#addText(value)
    else if (typeof value !== 'object' || value === null) this.#addPlain(plain(value))
    else if (hasToJson(value)) this.#add(value.toJSON(name), name)
    else if (Array.isArray(value)) this.#addList(value)
    else this.addObject(value)
  }

  #addList(list: readonly unknown[]): void {
    this.#write('[')
    for (let at = 0; at < list.length; at++) {
      if (at > 0) this.jsonBytes++
      this.#add(isWritten(list[at]) ? list[at] : null, String(at))
    }
    this.#write(']')
  }

  #addText(text: string): void {
    const { key, jsonBytes } = this.#memo.of(text)
    this.text += key
    this.jsonBytes += jsonBytes
  }

  #addPlain(text: string): void {
    this.text += `#${text};`
    this.jsonBytes += text.length
  }

  /** What is ASCII, and not a text of the request. */
  #write(text: string): void {
    this.text += text
    this.jsonBytes += text.length
  }
}

function isWritten(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol'
}

/** As JSON has it; a bigint cannot be sent at all, and the client will say so. */
function plain(value: unknown): string {
  return typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value)
}

function hasToJson(value: object): value is { toJSON(name: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}
