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
  readonly #queue: Array<() => void> = []

  constructor(max: number | undefined, isL2Lost: () => boolean) {
    this.#max = max
    this.#isL2Lost = isL2Lost
  }

  get waiting(): number {
    return this.#queue.length
  }

  get full(): boolean {
    return this.running >= this.#limit
  }

  /** Takes a place if there is one. */
  tryAcquire(): boolean {
    if (this.full) return false
    this.running++
    return true
  }

  /** Waits in line for a place. A place that is handed over stays counted in between. */
  acquire(): Promise<void> {
    return new Promise((resolve) => this.#queue.push(resolve))
  }

  release(): void {
    const next = this.running <= this.#limit ? this.#queue.shift() : undefined
    if (next) next()
    else this.running--
  }

  get #limit(): number {
    return this.#max ?? (this.#isL2Lost() ? DEFAULT_WHILE_LOST : Number.POSITIVE_INFINITY)
  }
}
