import type { Failure, FruitlessLoads } from '../contracts/store.ts'

/** A failing origin is called so often for all who wait for it together. */
const MOST_FAILURES = 3

const NONE: FruitlessLoads = { failed: 0, unstored: 0 }
const UNKNOWN: Failure = { name: 'Error', message: 'the origin failed in another process' }

/** What became of the loads of others while one waits for them, by what L2 has counted. */
export class FruitlessWatch {
  /** Where the counts stood when the waiting began. */
  #first: FruitlessLoads
  #last: FruitlessLoads

  constructor(first: FruitlessLoads = NONE) {
    this.#first = first
    this.#last = first
  }

  /**
   * @returns `unstored`: the value may not be stored, waiting is of no use. A failure: enough have
   * tried. `undefined`: wait on.
   */
  look(present: FruitlessLoads = NONE): Failure | 'unstored' | undefined {
    // They begin anew when something is stored, deleted or forgotten: what they show came after that.
    const isNew = present.failed < this.#last.failed || present.unstored < this.#last.unstored
    if (isNew) this.#first = NONE
    this.#last = present
    if (present.unstored > this.#first.unstored) return 'unstored'
    if (present.failed - this.#first.failed < MOST_FAILURES) return undefined
    return present.failure ?? UNKNOWN
  }
}
