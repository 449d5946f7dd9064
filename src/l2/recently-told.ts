import type { IntentKind } from './intent.ts'

/** A server that lost the end of its history in a failover has lost less than this. */
const KEPT_MS = 30_000
/** Beyond so many names it is cheaper to declare the whole cache invalid. */
const MAX_NAMES = 10_000

/**
 * Invalidations that L2 has acknowledged, of the last 30 s. It may forget them all the same: another
 * server takes over that had not heard of them yet.
 */
export class RecentlyTold {
  /** When each name was last told; the oldest first. */
  readonly #told: Readonly<Record<IntentKind, Map<string, number>>> = {
    key: new Map(),
    hard: new Map(),
    soft: new Map(),
  }
  /** Until then there were more than can be kept. */
  #overflowUntil = Number.NEGATIVE_INFINITY

  add(kind: IntentKind, names: readonly string[], now: number): void {
    const told = this.#told[kind]
    for (const name of names) {
      told.delete(name)
      told.set(name, now)
    }
    this.#forget(now)
    if (this.#size > MAX_NAMES) this.overflow(now)
  }

  /** So much was told that only all of it can be told again. */
  overflow(now: number): void {
    for (const told of Object.values(this.#told)) told.clear()
    this.#overflowUntil = now + KEPT_MS
  }

  /** What has to be told again, which is then kept no more; `all`: the whole cache is invalid. */
  take(now: number): 'all' | ReadonlyArray<readonly [IntentKind, readonly string[]]> {
    this.#forget(now)
    const isTooMuch = now < this.#overflowUntil
    const taken = Object.entries(this.#told).map(
      ([kind, told]) => [kind as IntentKind, [...told.keys()]] as const,
    )
    for (const told of Object.values(this.#told)) told.clear()
    this.#overflowUntil = Number.NEGATIVE_INFINITY
    return isTooMuch ? 'all' : taken
  }

  get #size(): number {
    return this.#told.key.size + this.#told.hard.size + this.#told.soft.size
  }

  #forget(now: number): void {
    for (const told of Object.values(this.#told)) {
      for (const [name, at] of told) {
        if (now - at < KEPT_MS) break
        told.delete(name)
      }
    }
  }
}
