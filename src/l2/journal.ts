import type { StampMode } from '../contracts/store.ts'
import { Intent, type IntentKind } from './intent.ts'
import { Ledger } from './ledger.ts'
import { RecentlyTold } from './recently-told.ts'

/** Beyond so many failed names it is cheaper to declare the whole cache invalid. */
const MAX_FAILED = 10_000
/** Names told again at a time: what one operation does within its deadline. */
const BATCH = 1000

/** Something to tell L2 again. `all`: the whole cache is to be declared invalid. */
export interface Replayed {
  readonly number: number
  readonly kind: IntentKind | 'all'
  readonly names: readonly string[]
}

/**
 * Invalidations that L2 has not acknowledged, or may have forgotten. Those under way and those that failed are two lists:
 * this process does not believe what L2 holds for the names of either, but only what failed is told
 * again, and only that counts towards the bound. Every intent and every replay has a number of its
 * own, and an acknowledgement settles what came before it, never what came after. What was
 * acknowledged is kept for 30 s: when another server may have taken over, it counts as failed again.
 * The journal lives in memory and dies with its process.
 */
export class Journal {
  readonly #keys = new Ledger()
  readonly #hard = new Ledger()
  readonly #soft = new Ledger()
  readonly #told = new RecentlyTold()
  #last = 0
  /** Where the numbers stood when too many had failed; 0 where that is settled. */
  #overflowedAt = 0

  /** The number of what was begun last. */
  get last(): number {
    return this.#last
  }

  /** Whether something is to be told again. */
  get hasFailed(): boolean {
    return this.#failed > 0 || this.#overflowedAt > 0
  }

  begin(kind: IntentKind, names: readonly string[]): Intent {
    const intent = new Intent(++this.#last, kind, names)
    this.#ledger(kind).begin(intent)
    return intent
  }

  acknowledged({ kind, names, number }: Intent | Replayed): void {
    if (kind === 'all') {
      if (this.#overflowedAt <= number) this.#overflowedAt = 0
      for (const ledger of this.#ledgers) ledger.forgetFailedUntil(number)
      return
    }
    this.#ledger(kind).settle(names, number)
    if (kind === 'hard') this.#soft.settle(names, number)
  }

  failed(intent: Intent): void {
    this.#ledger(intent.kind).fail(intent)
    if (this.#failed > MAX_FAILED) this.#overflow()
  }

  /** L2 has it; to be told again if L2 turns out to have lost it. */
  told(kind: Replayed['kind'], names: readonly string[], now: number): void {
    if (kind === 'all') this.#told.overflow(now)
    else this.#told.add(kind, names, now)
  }

  /**
   * L2 may be another server now, which has not heard of the latest: that is doubted until it was
   * told again, whatever has been stored since. At worst that costs one miss for each name.
   */
  recall(now: number): void {
    const told = this.#told.take(now)
    if (told === 'all') {
      this.#overflow()
      return
    }
    const number = ++this.#last
    for (const [kind, names] of told) this.#ledger(kind).doubt(names, number)
    if (this.#failed > MAX_FAILED) this.#overflow()
  }

  /** What comes next of all that had failed when `until` was the last number. */
  next(until: number): Replayed | undefined {
    if (this.#overflowedAt > 0 && this.#overflowedAt <= until) {
      return { number: ++this.#last, kind: 'all', names: [] }
    }
    // Hard before soft: it settles both.
    for (const kind of ['key', 'hard', 'soft'] as const) {
      const names = this.#ledger(kind).failedUntil(until, BATCH)
      if (names.length > 0) return { number: ++this.#last, kind, names }
    }
    return undefined
  }

  /** Whether anything is doubted at all: one look for the usual case. */
  get isEmpty(): boolean {
    return this.#overflowedAt === 0 && this.#ledgers.every((ledger) => ledger.isEmpty)
  }

  /** What was done to an entry that L2 may still hold as if nothing had happened. */
  doubts(keys: readonly string[], tags: readonly string[]): StampMode | undefined {
    if (this.#overflowedAt > 0 || keys.some((key) => this.#keys.has(key))) return 'hard'
    if (tags.some((tag) => this.#hard.has(tag))) return 'hard'
    return tags.some((tag) => this.#soft.has(tag)) ? 'soft' : undefined
  }

  #overflow(): void {
    this.#overflowedAt = ++this.#last
    for (const ledger of this.#ledgers) ledger.forgetFailedUntil(this.#last)
  }

  get #failed(): number {
    return this.#keys.failed + this.#hard.failed + this.#soft.failed
  }

  get #ledgers(): readonly Ledger[] {
    return [this.#keys, this.#hard, this.#soft]
  }

  #ledger(kind: IntentKind): Ledger {
    return kind === 'key' ? this.#keys : kind === 'hard' ? this.#hard : this.#soft
  }
}
