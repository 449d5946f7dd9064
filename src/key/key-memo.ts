import { keyOf } from './key-of.ts'
import { isPlainJson } from './plain-json.ts'

/** Of JSON text that one generation may hold, so that large arguments do not pile up. */
const MOST_CHARACTERS = 1024 * 1024

/**
 * Keys of calls with one plain object, at about the cost of its JSON text.
 *
 * Sorting members on every call would cost several times that, so the JSON text in the caller's own
 * member order finds the canonical key made earlier. Returning that same string object also spares
 * L1 hashing it again.
 */
export class KeyMemo {
  #lastJson = ''
  #lastKey = ''
  // Two generations: what is still in use survives when the recent one is full.
  #recent = new Map<string, string>()
  #older = new Map<string, string>()
  #characters = 0
  readonly #mostEntries: number

  /** @param entries the most recent texts that are remembered for sure; at most twice as many are */
  constructor(entries = 2048) {
    this.#mostEntries = entries
  }

  /**
   * The same as `keyOf([value])`.
   * @throws ERR_UNCACHEABLE_KEY like `keyOf`
   */
  keyOfObject(value: object): string {
    if (!isPlainJson(value)) return keyOf([value])
    const json = JSON.stringify(value)
    if (json === this.#lastJson) return this.#lastKey
    return this.#remembered(json)
  }

  #remembered(json: string): string {
    let key = this.#recent.get(json)
    if (key === undefined) {
      // From the text, not from the object: a getter may say something else the next time, and must
      // not leave a wrong key behind for others.
      key = this.#older.get(json) ?? keyOf([JSON.parse(json)])
      if (json.length > MOST_CHARACTERS) return key
      this.#remember(json, key)
    }
    this.#lastJson = json
    this.#lastKey = key
    return key
  }

  #remember(json: string, key: string): void {
    if (
      this.#recent.size >= this.#mostEntries ||
      this.#characters + json.length > MOST_CHARACTERS
    ) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#characters = 0
    }
    this.#recent.set(json, key)
    this.#characters += json.length
  }
}
