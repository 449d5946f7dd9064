import type { Stamps } from '../l1/stamps.ts'

/** What was invalidated since a load began, and since it last asked L2. */
export class FlightValidity {
  /** The local sequence before anything was read: whatever is invalidated later outdates the load. */
  readonly startedSequence: number
  /** The local sequence when L2 was last asked. */
  lookedSequence: number
  /** Its key was invalidated. */
  isGone = false
  readonly #stamps: Stamps
  readonly #tags: readonly string[]
  #wasGone = false
  #foundTags: readonly string[] = []
  #foundSequence: number

  constructor(stamps: Stamps, tags: readonly string[]) {
    this.#stamps = stamps
    this.#tags = tags
    this.startedSequence = stamps.sequence
    this.lookedSequence = stamps.sequence
    this.#foundSequence = stamps.sequence
  }

  /** L2 is asked now: what it answers is newer than what was invalidated before. */
  look(): void {
    this.lookedSequence = this.#stamps.sequence
    this.#wasGone = this.isGone
  }

  /** Nothing older than an invalidation may be served. */
  get isKilled(): boolean {
    return this.#isStamped('hard', this.#tags, this.startedSequence)
  }

  get isInvalidated(): boolean {
    return this.isGone || this.#isStampedSince(this.startedSequence, this.#tags)
  }

  /** What L2 had when it was last asked may be what was invalidated since. */
  get isInvalidatedSinceLook(): boolean {
    const isGone = this.isGone && !this.#wasGone
    return isGone || this.#isStampedSince(this.lookedSequence, this.#tags)
  }

  /** The result has these tags, and is as old as that number of the local sequence. */
  found(tags: readonly string[], sequence: number): void {
    this.#foundTags = tags
    this.#foundSequence = sequence
  }

  /** The result turned out to have a tag that was invalidated since. */
  get isFoundOutdated(): boolean {
    return this.#isStampedSince(this.#foundSequence, this.#foundTags)
  }

  #isStampedSince(sequence: number, tags: readonly string[]): boolean {
    return this.#isStamped('hard', tags, sequence) || this.#isStamped('soft', tags, sequence)
  }

  #isStamped(mode: 'hard' | 'soft', tags: readonly string[], since: number): boolean {
    return this.#stamps.sequence !== since && this.#stamps.newest(tags, mode) > since
  }
}
