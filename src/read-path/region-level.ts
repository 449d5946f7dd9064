import type { Entry } from '../l1/entry.ts'
import { type LevelOwner, type LocalBudget, type LocalKey, LocalLevel } from '../l1/local-level.ts'

/** Entries that are gone are cleared out of the index when they are most of it, and so many. */
const FEW = 64

/** L1 of one region, which also finds the keys that L2 knows by a digest only. */
export class RegionLevel extends LocalLevel {
  readonly #digestOf: (key: LocalKey) => string | undefined
  /** Filled with what is put, cleared now and then: an entry that leaves does not touch it. */
  readonly #byDigest = new Map<string, LocalKey>()

  /** @param digestOf the key in L2, if it has a digest in place of the key's own text */
  constructor(
    budget: LocalBudget,
    owner: LevelOwner,
    digestOf: (key: LocalKey) => string | undefined,
  ) {
    super(budget, owner)
    this.#digestOf = digestOf
  }

  override put(key: LocalKey, entry: Entry): void {
    super.put(key, entry)
    const digest = this.#digestOf(key)
    if (digest === undefined) return
    this.#byDigest.set(digest, key)
    if (this.#byDigest.size > 2 * this.size + FEW) this.#clearOut()
  }

  keyOfDigest(digest: string): LocalKey | undefined {
    return this.#byDigest.get(digest)
  }

  #clearOut(): void {
    for (const [digest, key] of this.#byDigest) {
      if (!this.lru.has(key)) this.#byDigest.delete(digest)
    }
  }
}
