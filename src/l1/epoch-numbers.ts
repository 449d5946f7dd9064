/** Entries have seven bits for it; 0 is none. */
const MOST = 127

/**
 * Small numbers for the sequences of L2 that this process has met, so that an entry can remember of
 * which one its version is. One for each partition, and new ones when L2 loses its data or may have
 * been set back; numbers go round.
 */
export class EpochNumbers {
  readonly #numbers = new Map<number, number>()
  /** The number given last. */
  #last = 0
  /** The one seen last: outside Cluster it is always the same. */
  #latest: readonly [epoch: number, number: number] | undefined

  of(epoch: number): number {
    const latest = this.#latest
    if (latest?.[0] === epoch) return latest[1]
    const number = this.#numbers.get(epoch) ?? this.#next()
    this.#numbers.set(epoch, number)
    this.#latest = [epoch, number]
    return number
  }

  /** The sequences may have been set back: no entry is of a version that could be given out again. */
  forget(): void {
    this.#numbers.clear()
    this.#latest = undefined
  }

  #next(): number {
    this.#last = (this.#last % MOST) + 1
    // Only after so many others: it goes to the next.
    for (const [epoch, number] of this.#numbers) {
      if (number === this.#last) this.#numbers.delete(epoch)
    }
    return this.#last
  }
}
