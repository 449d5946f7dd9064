/** Names that are followed; beyond, the one that was asked for first is forgotten. */
const MOST_NAMES = 1000
/** A name that has meant more models than that is no name of one. */
const MOST_MODELS = 32

/** Follows which models answer to a name: the day it means another, older answers are of the past. */
export class AliasEpochs {
  readonly #models = new Map<string, Set<string>>()

  /** @returns whether `answered` is new, and not the first, for those who ask for `requested` */
  isNew(requested: string, answered: string): boolean {
    const models = this.#models.get(requested)
    if (models === undefined) {
      this.#models.set(requested, new Set([answered]))
      if (this.#models.size > MOST_NAMES) this.#forgetFirst()
      return false
    }
    if (models.has(answered)) return false
    if (models.size >= MOST_MODELS) models.clear()
    models.add(answered)
    return true
  }

  #forgetFirst(): void {
    for (const first of this.#models.keys()) {
      this.#models.delete(first)
      return
    }
  }
}
