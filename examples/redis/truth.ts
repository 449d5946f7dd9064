/** What each thing is really like: a number that grows with every change. */

/** A change, and the invalidation that told the cache of it. */
interface Change {
  readonly by: string
  readonly calledAt: number
  /** When L2 had acknowledged it, or had not in time. */
  settledAt: number
  durable: boolean
}

/** When the L2 of all instances was last away, and since when it is there again. */
export interface Standing {
  readonly ready: boolean
  readonly readySince: number
}

/** After an acknowledged invalidation nobody serves the old value for longer: `health().l2.stalenessMs`. */
export const BOUND_MS = 1300
/** What L2 was not told, or has lost, it is told again within this once it is there. */
const REPLAY_MS = 1000

/** An answer that was older than the truth. */
export interface Stale {
  /** Since the invalidation that should have removed it. */
  readonly ms: number
  readonly allowedMs: number
}

/** What every answer is compared with. */
export class Truth {
  readonly #changes = new Map<string, Change[]>()
  readonly #ttlMs: number

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs
  }

  version(thing: string): number {
    return this.#changes.get(thing)?.length ?? 0
  }

  /** The thing changes now, and `by` tells its cache. */
  async change(
    thing: string,
    by: string,
    tell: () => Promise<{ readonly durable: boolean }>,
  ): Promise<void> {
    const now = performance.now()
    const change: Change = {
      by,
      calledAt: now,
      settledAt: Number.POSITIVE_INFINITY,
      durable: false,
    }
    const changes = this.#changes.get(thing)
    if (changes) changes.push(change)
    else this.#changes.set(thing, [change])
    const { durable } = await tell()
    change.durable = durable
    change.settledAt = performance.now()
  }

  /** Whether an answer that was asked for at `askedAt` is older than it may be; undefined: it is current. */
  staleness(
    thing: string,
    version: number,
    reader: string,
    askedAt: number,
    standing: Standing,
  ): Stale | undefined {
    const change = this.#changes.get(thing)?.[version]
    if (!change || askedAt <= change.calledAt) return undefined
    const ms = askedAt - change.calledAt
    // Whoever invalidates has nothing to wait for.
    if (change.by === reader) return { ms, allowedMs: 0 }
    return { ms, allowedMs: this.#allowed(change, standing) }
  }

  #allowed(change: Change, { ready, readySince }: Standing): number {
    // Nobody could tell this reader: its copy lives until its ttl ends.
    if (!ready) return this.#ttlMs
    if (change.durable && readySince < change.calledAt) {
      return change.settledAt - change.calledAt + BOUND_MS
    }
    const toldAgain = Math.max(change.settledAt, readySince) + REPLAY_MS
    return Math.min(this.#ttlMs, toldAgain - change.calledAt + BOUND_MS)
  }
}
