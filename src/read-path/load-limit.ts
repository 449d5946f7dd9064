/** While L2 is lost, so many origin calls at a time unless `maxLoads` says otherwise. */
const DEFAULT_WHILE_LOST = 100

/**
 * Caps the origin calls a cache has running at the same time: a dead L2 must not multiply the price.
 * An explicit `maxLoads` holds always; the default holds only while a configured L2 is lost.
 */
export class LoadLimit {
  running = 0
  readonly #max: number | undefined
  readonly #isL2Lost: () => boolean
  readonly #queue = new Set<() => void>()

  constructor(max: number | undefined, isL2Lost: () => boolean) {
    this.#max = max
    this.#isL2Lost = isL2Lost
  }

  get full(): boolean {
    return this.running >= this.#limit
  }

  /**
   * Takes a place, or waits in line for one.
   * @param givenUp ends the waiting
   * @returns whether there is a place; it then has to be released
   */
  acquire(givenUp: Promise<unknown>): Promise<boolean> {
    if (!this.full) {
      this.running++
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const enter = (): void => resolve(true)
      this.#queue.add(enter)
      void givenUp.then(() => {
        if (this.#queue.delete(enter)) resolve(false)
      })
    })
  }

  release(): void {
    this.running--
    for (const enter of this.#queue) {
      if (this.full) return
      this.#queue.delete(enter)
      this.running++
      enter()
    }
  }

  get #limit(): number {
    return this.#max ?? (this.#isL2Lost() ? DEFAULT_WHILE_LOST : Number.POSITIVE_INFINITY)
  }
}
