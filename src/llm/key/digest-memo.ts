import { crypto } from '../../kernel/builtin.ts'

/** Below, hashing costs about as much as remembering. In characters. */
const WORTH_KEEPING = 4096

/**
 * Text of binary content by what it holds: the digest of the bytes, and of a `data:` URL its media type.
 * Large ones are remembered, so that a document that goes through a whole conversation is hashed once.
 *
 * They are found again by the text itself: a fingerprint of parts of it could take one document for
 * another. V8 does not hash text of this length, it compares it, and the same string object at once.
 */
export class DigestMemo {
  readonly #digests = new Map<string, string>()
  readonly #mostCharacters: number
  #characters = 0

  /** @param mostCharacters of all texts that are held */
  constructor(mostCharacters: number) {
    this.#mostCharacters = mostCharacters
  }

  /** `undefined` where the text is not base64 as an encoder writes it: it means what it says then. */
  textOf(content: string): string | undefined {
    if (content.length < WORTH_KEEPING) return contentText(content)
    const known = this.#digests.get(content)
    if (known !== undefined) {
      this.#digests.delete(content)
      this.#digests.set(content, known)
      return known
    }
    const text = contentText(content)
    if (text !== undefined) this.#keep(content, text)
    return text
  }

  #keep(content: string, text: string): void {
    if (content.length > this.#mostCharacters) return
    this.#characters += content.length
    this.#digests.set(content, text)
    for (const oldest of this.#digests.keys()) {
      if (this.#characters <= this.#mostCharacters) return
      this.#digests.delete(oldest)
      this.#characters -= oldest.length
    }
  }
}

/** Of bytes; no JSON begins like that. */
export function bytesText(bytes: Uint8Array): string {
  return `#${crypto().hash('sha256', bytes, 'base64url')}`
}

function contentText(content: string): string | undefined {
  if (!content.startsWith('data:')) return base64Text(content)
  const comma = content.indexOf(',')
  const head = content.slice(0, comma)
  if (!head.endsWith(';base64')) return undefined
  const text = base64Text(content.slice(comma + 1))
  return text === undefined ? undefined : text + JSON.stringify(head)
}

function base64Text(base64: string): string | undefined {
  // Buffer skips what is not base64: without a look back, two texts could have the same bytes.
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 ? bytesText(bytes) : undefined
}
