/** Those used longest ago are forgotten beyond: to forget one costs a wait, no answer. */
const MOST = 10_000

interface Warmth {
  /** From then on it can be read. */
  readonly readyAt: number
  readonly until: number
}

/** The prefixes that were written lately. */
export class WarmPrefixes {
  readonly #known = new Map<string, Warmth>()

  /** When it can be read; `undefined`: nobody has written it lately. */
  readyAt(prefixId: string, now: number): number | undefined {
    const warmth = this.#known.get(prefixId)
    if (warmth === undefined) return undefined
    if (now < warmth.until) return warmth.readyAt
    this.#known.delete(prefixId)
    return undefined
  }

  /** What is known of it can only get better: ready earlier, warm for longer. */
  add(prefixId: string, { readyAt, until }: Warmth, now: number): void {
    const before = this.readyAt(prefixId, now) === undefined ? undefined : this.#known.get(prefixId)
    this.#known.delete(prefixId)
    this.#known.set(prefixId, {
      readyAt: Math.min(readyAt, before?.readyAt ?? readyAt),
      until: Math.max(until, before?.until ?? until),
    })
    if (this.#known.size <= MOST) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      break
    }
  }
}
