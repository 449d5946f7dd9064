/** More than one, so that the sweep gets to the end even while every write adds an item there. */
const SWEPT_PER_WRITE = 2

/**
 * A map whose items end at an instant, bounded in number. Nothing waits for that instant: an ended
 * item reads as absent, and every write also looks at the next few items and drops the ended ones, so
 * that what nobody asks for again does not stay for ever.
 */
export class ExpiringMap<V extends { readonly until: number }> {
  readonly #items = new Map<string, V>()
  readonly #max: number
  #sweep: Iterator<[string, V]> | undefined

  /** @param max items beyond this number push out those written longest ago. */
  constructor(max = Number.POSITIVE_INFINITY) {
    this.#max = max
  }

  get size(): number {
    return this.#items.size
  }

  get(key: string, now: number): V | undefined {
    const item = this.#items.get(key)
    return item && now < item.until ? item : undefined
  }

  set(key: string, item: V, now: number): void {
    // Deleted first: a Map keeps an overwritten key at its old place.
    this.#items.delete(key)
    this.#items.set(key, item)
    this.#dropEnded(now)
    if (this.#items.size > this.#max) this.#dropOldest()
  }

  delete(key: string): void {
    this.#items.delete(key)
  }

  #dropEnded(now: number): void {
    for (let step = 0; step < SWEPT_PER_WRITE; step++) {
      this.#sweep ??= this.#items.entries()
      const next = this.#sweep.next()
      if (next.done) {
        this.#sweep = undefined
        return
      }
      const [key, item] = next.value
      if (now >= item.until) this.#items.delete(key)
    }
  }

  #dropOldest(): void {
    const oldest = this.#items.keys().next()
    if (!oldest.done) this.#items.delete(oldest.value)
  }
}
