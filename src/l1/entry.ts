/** The value is an error of the origin, kept for `errorTtl`. */
export const ENTRY_ERROR = 1
/** The value holds parts that cannot be frozen: every caller gets a copy. */
export const ENTRY_COPY = 2
/** L2 holds this entry, as far as is known: if it is gone there, it was invalidated. */
export const ENTRY_IN_L2 = 4
/** Put in by hand, and L2 has not acknowledged it: that L2 has nothing there says nothing against it. */
export const ENTRY_HERE_ONLY = 8

/** What the fast path must leave alone. */
const SLOW = ENTRY_ERROR | ENTRY_COPY
// One word, a small integer of V8: 4 bits of flags, 7 for the number of the epoch, the duration of
// the load with 17 digits and 4 bits for its magnitude.
const FLAG_MASK = 15
const EPOCH_AT = 4
const EPOCH_MASK = 127
const MAGNITUDE_AT = 11
const MAGNITUDE_MASK = 15
const LOAD_AT = 15
const LOAD_DIGITS = 17
const LONGEST_LOAD_MS = 2 ** 31 - 1

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
  /** Small numbers in one word. */
  #word: number

  constructor(value: V, createdAt: number, freshUntil: number, loadMs: number) {
    this.value = value
    this.createdAt = createdAt
    this.freshUntil = freshUntil
    const duration = Math.min(Math.round(loadMs), LONGEST_LOAD_MS)
    const magnitude = Math.max(0, 32 - LOAD_DIGITS - Math.clz32(duration))
    this.#word = ((duration >>> magnitude) << LOAD_AT) | (magnitude << MAGNITUDE_AT)
  }

  /** How long the origin took, for refresh-ahead. */
  get loadMs(): number {
    return (this.#word >>> LOAD_AT) << ((this.#word >> MAGNITUDE_AT) & MAGNITUDE_MASK)
  }

  has(flag: number): boolean {
    return (this.#word & flag) !== 0
  }

  mark(flag: number): void {
    this.#word |= flag & FLAG_MASK
  }

  unmark(flag: number): void {
    this.#word &= ~(flag & FLAG_MASK)
  }

  /** What L2 calls its record of this entry; `undefined` where that is not known. */
  get version(): number | undefined {
    return this.meta?.version
  }

  /** Of which sequence the version is, by the small number that this process gave it. */
  get epochNumber(): number {
    return (this.#word >> EPOCH_AT) & EPOCH_MASK
  }

  /** L2 holds this very entry, as that version. */
  isVersion(version: number, epochNumber: number): void {
    if (this.meta === undefined) return
    this.meta.version = version
    this.#word = (this.#word & ~(EPOCH_MASK << EPOCH_AT)) | (epochNumber << EPOCH_AT)
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
  /**
   * Two numbers that share a place, 8 bytes of each entry: the version in L2, or, below 0, the instant
   * at which an origin that has failed is tried again. Who fails forgets the version: the entry is
   * then read anew when it is compared with L2.
   */
  #versionOrRetry = 0

  constructor(tags: string | readonly string[] | undefined, checkedAt: number, localUntil: number) {
    this.tags = tags
    this.checkedAt = checkedAt
    this.localUntil = localUntil
  }

  get version(): number | undefined {
    return this.#versionOrRetry > 0 ? this.#versionOrRetry : undefined
  }

  set version(version: number) {
    this.#versionOrRetry = version
  }

  /** After a failure of the origin: when it is tried again. */
  get retryAt(): number {
    return this.#versionOrRetry < 0 ? -this.#versionOrRetry : 0
  }

  set retryAt(instant: number) {
    this.#versionOrRetry = -instant
  }
}

export function packTags(tags: readonly string[]): string | readonly string[] | undefined {
  return tags.length === 0 ? undefined : tags.length === 1 ? tags[0] : tags
}

export function entryTags(entry: Entry): readonly string[] {
  const tags = entry.meta?.tags
  return tags === undefined ? [] : typeof tags === 'string' ? [tags] : tags
}
