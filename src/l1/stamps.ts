import { EpochNumbers } from './epoch-numbers.ts'

/** When a tag was last invalidated, in numbers of the local sequence. */
interface LocalStamp {
  hard: number
  soft: number
}

/** More tags than any sensible service invalidates between two reads of an entry. */
const MAX_STAMPS = 10_000

/**
 * The invalidations this process knows of: one number per tag and one for all. An entry is valid
 * while none of its tags has a stamp newer than the number the entry was checked at, so invalidating
 * is O(1) whatever the number of entries, and a hit compares one integer while nothing was
 * invalidated since the entry was last looked at.
 */
export class Stamps {
  sequence = 0
  /** Of the sequences of L2, which are others than this process's own. */
  readonly epochs = new EpochNumbers()
  /** Entries last checked before this number have to be compared with L2. */
  suspectedAt = 0
  /** What a forgotten tag reads as: whatever is older than the oldest kept stamp is stale. */
  #floor = 0
  readonly #stamps = new Map<string, LocalStamp>()

  invalidate(tags: readonly string[], mode: 'hard' | 'soft'): void {
    this.sequence++
    for (const tag of tags) {
      const stamp = this.#stamps.get(tag) ?? { hard: 0, soft: 0 }
      stamp[mode] = this.sequence
      // Deleted first, so that the map stays in order of age.
      this.#stamps.delete(tag)
      this.#stamps.set(tag, stamp)
    }
    while (this.#stamps.size > MAX_STAMPS) this.#forgetOldest()
  }

  /** Something may have been missed: every entry is compared with L2 before it is served again. */
  suspectAll(): void {
    this.suspectedAt = ++this.sequence
  }

  /** The newest of the stamps of `tags`. */
  newest(tags: readonly string[], mode: 'hard' | 'soft'): number {
    let newest = this.#floor
    for (const tag of tags) {
      const stamp = this.#stamps.get(tag)
      if (stamp !== undefined && stamp[mode] > newest) newest = stamp[mode]
    }
    return newest
  }

  #forgetOldest(): void {
    for (const [tag, stamp] of this.#stamps) {
      this.#stamps.delete(tag)
      this.#floor = Math.max(this.#floor, stamp.hard, stamp.soft)
      return
    }
  }
}
