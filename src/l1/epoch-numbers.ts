/** Entries have seven bits for it; 0 is none. */
const MOST = 127

/**
 * Small numbers for the sequences of L2 that this process has met, so that an entry can remember of
 * which one its version is. One for each partition, and new ones when L2 loses its data: where there
 * were more, the number of the one that was not seen for longest is given to the next.
 */
export class EpochNumbers {
  /** Those seen longest ago first. */
  readonly #numbers = new Map<number, number>()
  /** The one seen last: outside Cluster it is always the same. */
  #latest: readonly [epoch: number, number: number] | undefined

  of(epoch: number): number {
    const latest = this.#latest
    if (latest?.[0] === epoch) return latest[1]
    const number = this.#numbers.get(epoch) ?? this.#next()
    this.#numbers.delete(epoch)
    this.#numbers.set(epoch, number)
    this.#latest = [epoch, number]
    return number
  }

  #next(): number {
    if (this.#numbers.size < MOST) return this.#numbers.size + 1
    const [oldest] = this.#numbers as Iterable<[number, number]>
    const [epoch, number] = oldest as [number, number]
    this.#numbers.delete(epoch)
    return number
  }
}
