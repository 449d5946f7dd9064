/** Where a marker may be put, or an entry is. In the order of the prompt. */
export interface Point {
  /** Of the prefix up to here. */
  readonly tokens: number
  readonly position: number
  readonly canMark: boolean
  /** Marked by the client, with this lifetime. */
  readonly fixed: Label | undefined
  /** Time that the provider's entry has left, and its whole lifetime; 0: there is none. */
  readonly leftMs: number
  readonly ttlMs: number
  /** Probability that the next request that leaves the known ways exactly here comes in time. */
  readonly short: number
  readonly long: number
  /** It grows with every request: what is written here is soon overtaken. */
  readonly grows: boolean
}

export const NONE = 0
export const SHORT = 1
export const LONG = 2
export type Label = typeof NONE | typeof SHORT | typeof LONG

/** What a provider asks for an entry, as multiples of an input token, and what it allows. */
export interface Terms {
  readonly read: number
  readonly writeShort: number
  /** Infinity: there is no long lifetime. */
  readonly writeLong: number
  readonly shortMs: number
  readonly longMs: number
  readonly lookback: number
  /** Markers that may be set, those of the client included. */
  readonly slots: number
  /** Shorter prefixes are not kept, marked or not. */
  readonly minTokens: number
}

/** What a choice of markers costs now and is worth later, in input tokens. */
export interface Outcome {
  /** Index of the point that is read; -1: nothing is. */
  readonly hit: number
  readonly read: number
  readonly writeLong: number
  readonly writeShort: number
  readonly input: number
  readonly cost: number
  readonly value: number
}

/** Fewer markers are better where all else is equal. */
const MARKER_PRICE = 0.5

/** What is used again that surely keeps a short entry alive. */
const SUSTAINED = 0.5

/**
 * Finds the labels of the points that cost least, expected saving at the next use counted in: by trying
 * all, since there are few.
 *
 * The next use of a prefix finds the deepest entry that it shares and that is still alive; without one
 * it would have to be written again, at `writeShort` instead of `read`.
 */
export class Placement {
  readonly #points: readonly Point[]
  readonly #terms: Terms
  readonly #total: number
  /** The entry that a marker at a point finds: the index of its point, or -1. */
  readonly #reach: number[]
  /** Probability that the next use of the tokens before a point leaves the known ways there. */
  readonly #nearShare: number[]
  readonly #farShare: number[]
  #labels: Label[]
  #best: Label[]
  #bestValue = Number.NEGATIVE_INFINITY

  constructor(points: readonly Point[], total: number, terms: Terms) {
    this.#points = points
    this.#terms = terms
    this.#total = total
    this.#reach = reachOf(points, terms.lookback)
    this.#nearShare = sharesOf(points, (point) => point.short)
    const within = sharesOf(points, (point) => point.long)
    this.#farShare = within.map((share, at) => Math.max(0, share - (this.#nearShare[at] as number)))
    const last = this.#farShare.length - 1
    if (last >= 0) this.#farShare[last] = (this.#farShare[last] as number) * coverOf(points, terms)
    this.#labels = points.map(({ fixed }) => fixed ?? NONE)
    this.#best = [...this.#labels]
  }

  best(): Label[] {
    const fixed = this.#points.filter(({ fixed }) => fixed !== undefined).length
    this.#try(0, this.#terms.slots - fixed, true)
    return this.#best
  }

  #try(at: number, free: number, longAllowed: boolean): void {
    const point = this.#points[at]
    if (!point) {
      const value = this.#valueOf(this.#labels)
      if (value > this.#bestValue + 1e-9) {
        this.#bestValue = value
        this.#best = [...this.#labels]
      }
      return
    }
    if (point.fixed !== undefined) {
      // A short one of the client forbids long ones behind it, and a long one short ones before it.
      if (point.fixed === LONG && !longAllowed) return
      this.#try(at + 1, free, longAllowed && point.fixed === LONG)
      return
    }
    this.#try(at + 1, free, longAllowed)
    if (free <= 0 || !point.canMark) return
    this.#labels[at] = SHORT
    this.#try(at + 1, free - 1, false)
    if (longAllowed && this.#terms.writeLong !== Number.POSITIVE_INFINITY) {
      this.#labels[at] = LONG
      this.#try(at + 1, free - 1, true)
    }
    this.#labels[at] = NONE
  }

  /** The entry that the deepest marker with one in reach finds. */
  hitOf(labels: readonly Label[]): number {
    for (let at = labels.length - 1; at >= 0; at--) {
      if (labels[at] !== NONE && (this.#reach[at] as number) >= 0) return this.#reach[at] as number
    }
    return -1
  }

  outcome(labels: readonly Label[]): Outcome {
    const hit = this.hitOf(labels)
    const read = hit < 0 ? 0 : (this.#points[hit] as Point).tokens
    let long = read
    let end = read
    for (let at = hit + 1; at < labels.length; at++) {
      if (labels[at] === NONE || (this.#points[at] as Point).tokens < this.#terms.minTokens)
        continue
      end = (this.#points[at] as Point).tokens
      if (labels[at] === LONG) long = end
    }
    const { read: readPrice, writeShort, writeLong } = this.#terms
    const cost =
      read * readPrice +
      (long > read ? (long - read) * writeLong : 0) +
      (end - long) * writeShort +
      (this.#total - end)
    return {
      hit,
      read,
      writeLong: long - read,
      writeShort: end - long,
      input: this.#total - end,
      cost,
      value: this.#valueOf(labels),
    }
  }

  /** What it saves later, less what it costs now. */
  #valueOf(labels: readonly Label[]): number {
    const { read, writeShort } = this.#terms
    const hit = this.hitOf(labels)
    return this.#savedBy(labels, hit) * (writeShort - read) - this.#costOf(labels, hit)
  }

  #costOf(labels: readonly Label[], hit: number): number {
    const { read: readPrice, writeShort, writeLong } = this.#terms
    const read = hit < 0 ? 0 : (this.#points[hit] as Point).tokens
    let long = read
    let end = read
    let prepaid = 0
    let markers = 0
    for (let at = 0; at < labels.length; at++) {
      if (labels[at] === NONE) continue
      markers++
      if (at <= hit) continue
      const point = this.#points[at] as Point
      end = point.tokens
      if (labels[at] === SHORT) continue
      // Who pays for the long lifetime now need not at the next use, if it comes in time.
      if (!point.grows) prepaid += (end - long) * point.long
      long = end
    }
    const rest = read * readPrice + (end - long) * writeShort + (this.#total - end)
    const forLong = long > read ? (long - read) * writeLong - prepaid * (writeLong - writeShort) : 0
    return rest + forLong + markers * MARKER_PRICE
  }

  /** Tokens that the next use is expected to read. */
  #savedBy(labels: readonly Label[], hit: number): number {
    const { shortMs, longMs } = this.#terms
    let near = 0
    let far = 0
    let saved = 0
    for (let at = 0; at < labels.length; at++) {
      const point = this.#points[at] as Point
      const label = labels[at] as Label
      const isNew = label !== NONE && at > hit
      if (isNew || staysFor(point, shortMs, at === hit)) near = point.tokens
      const isLasting = point.ttlMs > shortMs && staysFor(point, longMs, at === hit)
      if ((isNew && label === LONG) || isLasting) far = point.tokens
      saved += (this.#nearShare[at] as number) * near + (this.#farShare[at] as number) * far
      // Read by others all the time, it is still there after a pause of those that go deeper.
      if (point.short >= SUSTAINED && (point.leftMs > 0 || label !== NONE)) far = point.tokens
    }
    return saved
  }
}

/** A long entry at the end of a conversation is worth at most so many times what it saves at one use. */
const MOST_COVER = 4

/**
 * At how many of the next turns a long entry written now would still cover most of a conversation: it
 * grows by one turn at a time, and nothing needs to be written for long again until that adds up to what
 * has no long entry now.
 */
function coverOf(points: readonly Point[], { shortMs, longMs }: Terms): number {
  const last = points.at(-1) as Point
  if (!last.grows) return 1
  const kept = points.findLast(({ leftMs }) => leftMs > 0)?.tokens ?? 0
  const lasting = points.findLast(({ leftMs, ttlMs }) => ttlMs > shortMs && leftMs >= longMs / 2)
  const turn = Math.max(1, last.tokens - kept)
  const turns = (last.tokens - (lasting?.tokens ?? 0)) / turn
  return Math.max(1, Math.min(MOST_COVER, turns / 2))
}

/** Whether an entry is likely to be there at a use within that time; one that is read now lives anew. */
function staysFor(point: Point, withinMs: number, isRead: boolean): boolean {
  return isRead || (point.leftMs > 0 && point.leftMs >= withinMs / 2)
}

function reachOf(points: readonly Point[], lookback: number): number[] {
  let deepest = -1
  return points.map((point, at) => {
    if (point.leftMs > 0) deepest = at
    if (deepest < 0) return -1
    const distance = point.position - (points[deepest] as Point).position
    return distance < lookback ? deepest : -1
  })
}

/** From probabilities of each point alone to shares of the next use, whichever comes first. */
function sharesOf(points: readonly Point[], of: (point: Point) => number): number[] {
  const shares = new Array<number>(points.length).fill(0)
  let beyond = 0
  for (let at = points.length - 1; at >= 0; at--) {
    const reaching = 1 - (1 - beyond) * (1 - of(points[at] as Point))
    shares[at] = reaching - beyond
    beyond = reaching
  }
  return shares
}
