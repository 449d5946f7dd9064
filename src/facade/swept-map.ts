/** Fewer are not worth looking through. */
const FEW = 64

/**
 * A map that lets go of what is not needed any more: whenever it has doubled it looks through its
 * values. So it holds at most about twice what is needed, at a constant cost for each new one.
 */
export class SweptMap<V> {
  readonly #values = new Map<string, V>()
  readonly #mayGo: (value: V) => boolean
  #sweepAt = FEW

  /** @param mayGo called when room is made; what it answers `true` for is dropped */
  constructor(mayGo: (value: V) => boolean) {
    this.#mayGo = mayGo
  }

  get size(): number {
    return this.#values.size
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  set(key: string, value: V): void {
    if (this.#values.size >= this.#sweepAt) this.#sweep()
    this.#values.set(key, value)
  }

  #sweep(): void {
    for (const [key, value] of this.#values) if (this.#mayGo(value)) this.#values.delete(key)
    this.#sweepAt = Math.max(FEW, 2 * this.#values.size)
  }
}
