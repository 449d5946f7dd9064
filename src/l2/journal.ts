import type { StampMode } from '../contracts/store.ts'

/** Beyond so many open intents it is cheaper to declare the whole cache invalid. */
const MAX_INTENTS = 10_000

/**
 * Invalidations that L2 has not acknowledged. Until it has, what L2 holds for their keys and tags is
 * not to be believed by this process; they are replayed when L2 answers again. The journal lives in
 * memory and dies with its process.
 */
export class Journal {
  /** How many operations of a key are open; the entry stays when one of them failed. */
  readonly #keys = new Map<string, number>()
  readonly #tags = new Map<string, { mode: StampMode; open: number }>()
  #overflowed = false

  get size(): number {
    return this.#keys.size + this.#tags.size + (this.#overflowed ? 1 : 0)
  }

  get overflowed(): boolean {
    return this.#overflowed
  }

  addKey(key: string): void {
    this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1)
    this.#bound()
  }

  addTags(tags: readonly string[], mode: StampMode): void {
    for (const tag of tags) {
      const present = this.#tags.get(tag)
      this.#tags.set(tag, {
        mode: present?.mode === 'hard' ? 'hard' : mode,
        open: (present?.open ?? 0) + 1,
      })
    }
    this.#bound()
  }

  keyDone(key: string): void {
    const open = (this.#keys.get(key) ?? 0) - 1
    if (open > 0) this.#keys.set(key, open)
    else this.#keys.delete(key)
  }

  /** It stays to be replayed, also where a replay that began before it has ended meanwhile. */
  keyFailed(key: string): void {
    if (!this.#keys.has(key)) this.addKey(key)
  }

  tagsDone(tags: readonly string[]): void {
    for (const tag of tags) {
      const present = this.#tags.get(tag)
      if (present && present.open > 1) this.#tags.set(tag, { ...present, open: present.open - 1 })
      else this.#tags.delete(tag)
    }
  }

  tagsFailed(tags: readonly string[], mode: StampMode): void {
    this.addTags(
      tags.filter((tag) => !this.#tags.has(tag)),
      mode,
    )
  }

  tagsReplayed(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.delete(tag)
  }

  /** What is to be replayed now. */
  pending(): { keys: string[]; hard: string[]; soft: string[] } {
    const tags = [...this.#tags]
    return {
      keys: [...this.#keys.keys()],
      hard: tags.filter(([, { mode }]) => mode === 'hard').map(([tag]) => tag),
      soft: tags.filter(([, { mode }]) => mode === 'soft').map(([tag]) => tag),
    }
  }

  replayed(keys: readonly string[]): void {
    for (const key of keys) this.#keys.delete(key)
  }

  overflowReplayed(): void {
    this.#overflowed = false
  }

  /** What an open intent has done to an entry that L2 may still hold as if nothing had happened. */
  doubts(key: string, tags: readonly string[]): StampMode | undefined {
    if (this.#overflowed || this.#keys.has(key)) return 'hard'
    const modes = tags.map((tag) => this.#tags.get(tag)?.mode)
    return modes.includes('hard') ? 'hard' : modes.find((mode) => mode !== undefined)
  }

  #bound(): void {
    if (this.#keys.size + this.#tags.size <= MAX_INTENTS) return
    this.#keys.clear()
    this.#tags.clear()
    this.#overflowed = true
  }
}
