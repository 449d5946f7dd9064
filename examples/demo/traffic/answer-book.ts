import type { Answer } from './load.ts'

/** Remembers the first good answer to each document and compares all later ones with it. */
export class AnswerBook {
  checked = 0
  different = 0
  readonly #expected = new Map<number, string>()

  has(document: number): boolean {
    return this.#expected.has(document)
  }

  /** Failed answers are counted elsewhere; here they say nothing. */
  check(document: number, { status, body }: Answer): void {
    if (status !== 200) return
    const expected = this.#expected.get(document)
    if (expected === undefined) {
      this.#expected.set(document, body)
      return
    }
    this.checked++
    if (body !== expected) this.different++
  }
}
