import type { Stamp, StampMode } from '../contracts/store.ts'

/**
 * When tags were last invalidated, for a bounded number of tags. A tag that is not in the table reads
 * as the floor, which is raised to the stamps that had to be dropped: a forgotten stamp can make an
 * entry stale that was not, never the other way round.
 */
export class StampTable {
  readonly #stamps = new Map<string, Stamp>()
  readonly #max: number
  #floor: Stamp = { hard: 0, soft: 0 }

  constructor(max: number) {
    this.#max = max
  }

  get(tag: string): Stamp {
    return this.#stamps.get(tag) ?? this.#floor
  }

  /** Whether the tag was invalidated, in either mode, after that number of the sequence. */
  isNewer(tag: string, sequence: number): boolean {
    const { hard, soft } = this.get(tag)
    return hard > sequence || soft > sequence
  }

  set(tag: string, mode: StampMode, sequence: number): void {
    const stamp = { ...this.get(tag), [mode]: sequence }
    // Deleted first, so that the order of the map is the order of the stamps.
    this.#stamps.delete(tag)
    this.#stamps.set(tag, stamp)
    if (this.#stamps.size > this.#max) this.#dropOldest()
  }

  #dropOldest(): void {
    const oldest = this.#stamps.entries().next()
    if (oldest.done) return
    const [tag, { hard, soft }] = oldest.value
    this.#stamps.delete(tag)
    this.#floor = {
      hard: Math.max(this.#floor.hard, hard),
      soft: Math.max(this.#floor.soft, soft),
    }
  }
}
