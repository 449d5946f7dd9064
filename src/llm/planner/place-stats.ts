import type { OpenQuestion, PrefixNode } from './prefix-tree.ts'

/** What is believed of a kind of place before anything was seen there. */
export interface PlacePrior {
  /** Probability that the prefix is used again within the short lifetime of an entry. */
  readonly short: number
  /** If not: that it is used again within the long one. */
  readonly long: number
  /** How many observations the belief is worth. */
  readonly weight: number
  /**
   * How long a new prefix is waited for before it counts as not used again, as a share of the short
   * lifetime. Conversations take their time; what templates have in common is there at the next request.
   */
  readonly patience: number
}

/** Probabilities of the next use of a prefix. */
export interface Reuse {
  /** Within the short lifetime. */
  readonly short: number
  /** Within the long one; at least `short`. */
  readonly long: number
}

/** Uses and their absence, within the short lifetime and, failing that, within the long one. */
export type PlaceCounts = [
  usedShort: number,
  unusedShort: number,
  usedLong: number,
  unusedLong: number,
]

/** So many are waited for at most; the oldest then count as not used again. */
const MOST_WAITING = 512

/**
 * How new prefixes that end at one kind of place fare. Two Beta estimates, of a use within the short
 * lifetime and, failing that, within the long one.
 */
export class PlaceStats {
  readonly #prior: PlacePrior
  readonly #shortMs: number
  readonly #longMs: number
  #usedShort = 0
  #unusedShort = 0
  #usedLong = 0
  #unusedLong = 0
  /** Those that were not used within the short lifetime, and still may be within the long one. */
  #late = 0
  #lateSince = 0
  #waitingShort: Question[] = []
  #waitingLong: Question[] = []

  constructor(prior: PlacePrior, shortMs: number, longMs: number) {
    this.#prior = prior
    this.#shortMs = shortMs
    this.#longMs = longMs
  }

  /** Whether new prefixes were seen often enough, and none of them ever again. */
  get isHopeless(): boolean {
    return this.#usedShort + this.#usedLong === 0 && this.#unusedShort >= 3
  }

  /** Whether new prefixes are mostly used again, and that was seen. */
  get isProven(): boolean {
    const used = this.#usedShort + this.#usedLong
    return used >= 2 && used >= this.#unusedShort
  }

  /** What has been counted; questions that are open are not part of it. */
  counts(): PlaceCounts {
    return [this.#usedShort, this.#unusedShort, this.#usedLong, this.#unusedLong]
  }

  adopt([usedShort, unusedShort, usedLong, unusedLong]: PlaceCounts): void {
    this.#usedShort += usedShort
    this.#unusedShort += unusedShort
    this.#usedLong += usedLong
    this.#unusedLong += unusedLong
  }

  /** A new prefix ends at such a place. */
  open(node: PrefixNode, at: number): void {
    const question = new Question(this, at)
    node.question = question
    this.#waitingShort.push(question)
    this.#waitingLong.push(question)
  }

  reuse(now: number): Reuse {
    this.#giveUp(now)
    const { short, long, weight } = this.#prior
    const tried = weight + this.#usedShort + this.#unusedShort
    const soon = (weight * short + this.#usedShort) / tried
    const tries = 1 + this.#usedLong + this.#unusedLong + this.#lateTries(now)
    const late = (long + this.#usedLong) / tries
    return { short: soon, long: soon + (1 - soon) * late }
  }

  used(question: Question, gapMs: number): void {
    question.isAnswered = true
    if (gapMs < this.#shortMs) {
      if (question.isUnusedShort) {
        this.#unusedShort--
        if (question.isUnusedLong) this.#unusedLong--
        else this.#decided(question)
      }
      this.#usedShort++
      return
    }
    this.#missShort(question)
    if (question.isUnusedLong) return
    this.#decided(question)
    if (gapMs < this.#longMs) this.#usedLong++
    else this.#unusedLong++
  }

  /**
   * A use shows at once, its absence only when the long lifetime is over: until then each counts by the
   * share of it that has passed, or a few early uses would pass for the rule.
   */
  #lateTries(now: number): number {
    const waited = this.#late * (now - this.#shortMs) - this.#lateSince
    // A model may have one lifetime only.
    return waited > 0 ? waited / Math.max(1, this.#longMs - this.#shortMs) : 0
  }

  #giveUp(now: number): void {
    const patience = this.#prior.patience * this.#shortMs
    give(this.#waitingShort, now - patience, (question) => this.#missShort(question))
    give(this.#waitingLong, now - this.#longMs, (question) => this.#missLong(question))
  }

  #missShort(question: Question): void {
    if (question.isUnusedShort) return
    question.isUnusedShort = true
    this.#unusedShort++
    this.#late++
    this.#lateSince += question.at
  }

  #decided(question: Question): void {
    this.#late--
    this.#lateSince -= question.at
  }

  #missLong(question: Question): void {
    this.#missShort(question)
    this.#decided(question)
    question.isUnusedLong = true
    this.#unusedLong++
  }
}

class Question implements OpenQuestion {
  readonly at: number
  readonly #stats: PlaceStats
  isAnswered = false
  isUnusedShort = false
  isUnusedLong = false

  constructor(stats: PlaceStats, at: number) {
    this.#stats = stats
    this.at = at
  }

  answer(gapMs: number): void {
    if (!this.isAnswered) this.#stats.used(this, gapMs)
  }
}

/** Takes those out that began before `until`, and those that are too many. */
function give(waiting: Question[], until: number, miss: (question: Question) => void): void {
  let done = 0
  while (done < waiting.length) {
    const question = waiting[done] as Question
    const isOver = question.at <= until || waiting.length - done > MOST_WAITING
    if (!isOver && !question.isAnswered) break
    if (!question.isAnswered) miss(question)
    done++
  }
  if (done > 0) waiting.splice(0, done)
}
