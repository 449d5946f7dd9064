/** The value is an error of the origin, kept for `errorTtl`. */
export const ENTRY_ERROR = 1
/** The value holds parts that cannot be frozen: every caller gets a copy. */
export const ENTRY_COPY = 2
/** L2 holds this entry, as far as is known: if it is gone there, it was invalidated. */
export const ENTRY_IN_L2 = 4

/** What the fast path must leave alone. */
const SLOW = ENTRY_ERROR | ENTRY_COPY
const FLAG_BITS = 3
const FLAG_MASK = 7
/** So that both together stay a small integer of V8. */
const LONGEST_LOAD_MS = 2 ** 27

/**
 * One entry of L1. Instants are whole milliseconds of `clock.now()`: V8 keeps small integers inside
 * the object, where a fraction would cost 16 bytes more. 88 bytes in all, so that an L1 of 10,000
 * entries costs less than 1 MB beyond its values.
 */
export class Entry<V = unknown> {
  value: V
  /** Made at the first awaited hit and handed out ever after; never a rejected one. */
  promise: Promise<V> | undefined = undefined
  /** Until then a hit needs no look at anything else. The one comparison of the fast path. */
  hotUntil = 0
  freshUntil: number
  createdAt: number
  bytes = 0
  meta: EntryMeta | undefined = undefined
  /** Two small numbers in one word. */
  #loadAndFlags: number

  constructor(value: V, createdAt: number, freshUntil: number, loadMs: number) {
    this.value = value
    this.createdAt = createdAt
    this.freshUntil = freshUntil
    this.#loadAndFlags = Math.min(Math.round(loadMs), LONGEST_LOAD_MS) << FLAG_BITS
  }

  /** How long the origin took, for refresh-ahead. */
  get loadMs(): number {
    return this.#loadAndFlags >> FLAG_BITS
  }

  has(flag: number): boolean {
    return (this.#loadAndFlags & flag) !== 0
  }

  mark(flag: number): void {
    this.#loadAndFlags |= flag & FLAG_MASK
  }

  unmark(flag: number): void {
    this.#loadAndFlags &= ~(flag & FLAG_MASK)
  }

  /** Whether nobody can be handed the value just so. */
  get isSlow(): boolean {
    return this.has(SLOW)
  }

  settled(): Promise<V> {
    this.promise = Promise.resolve(this.value)
    return this.promise
  }
}

/** What only entries with tags, with an L2 behind them, or after a failure need to carry. */
export class EntryMeta {
  /** One tag is kept as itself: an array costs 56 bytes. */
  tags: string | readonly string[] | undefined
  /** No tag of the entry was invalidated up to this number of the local sequence. */
  checkedAt: number
  /** With an L2: when this copy must be compared with L2 again. */
  localUntil: number
  /** After a failure of the origin: when it is tried again. */
  retryAt = 0

  constructor(tags: string | readonly string[] | undefined, checkedAt: number, localUntil: number) {
    this.tags = tags
    this.checkedAt = checkedAt
    this.localUntil = localUntil
  }
}

export function packTags(tags: readonly string[]): string | readonly string[] | undefined {
  return tags.length === 0 ? undefined : tags.length === 1 ? tags[0] : tags
}

export function entryTags(entry: Entry): readonly string[] {
  const tags = entry.meta?.tags
  return tags === undefined ? [] : typeof tags === 'string' ? [tags] : tags
}
