import type { Costs } from './cost-plan.ts'

/** A caller that waits. */
export class Waiter {
  readonly costs: Costs
  readonly priority: number
  /** Since when, as the clock reads. */
  readonly since: number
  /** Until when it may wait; `Infinity` for ever. */
  readonly until: number
  /** Its place in the line, while it has one. */
  lane: Lane | undefined
  order = 0
  before: Waiter | undefined
  after: Waiter | undefined

  constructor(costs: Costs, priority: number, since: number, until: number) {
    this.costs = costs
    this.priority = priority
    this.since = since
    this.until = until
  }
}

/** Those of one priority, in the order in which they came: a list, so that any can leave at once. */
interface Lane {
  readonly priority: number
  /** The costs of all in it. */
  readonly queued: number[]
  first: Waiter | undefined
  last: Waiter | undefined
}

/**
 * Callers in the order in which they get their turn: higher priority first, and each `ageing`
 * milliseconds of waiting count as one priority more, so that nobody waits for ever. As all grow older
 * alike, the order of two waiters never changes, and only the first of each priority need be compared.
 */
export class WaitingLine<W extends Waiter> {
  size = 0
  /** No waiter's time is up before that; it may be too early. */
  earliestEnd = Number.POSITIVE_INFINITY
  readonly #ageing: number
  readonly #lanes = new Map<number, Lane>()
  #order = 0

  constructor(ageing: number) {
    this.#ageing = ageing
  }

  add(waiter: W): void {
    const lane = this.#laneFor(waiter)
    waiter.lane = lane
    waiter.order = this.#order++
    waiter.before = lane.last
    if (lane.last) lane.last.after = waiter
    else lane.first = waiter
    lane.last = waiter
    addTo(lane.queued, waiter.costs, 1)
    this.size++
    if (waiter.until < this.earliestEnd) this.earliestEnd = waiter.until
  }

  /** @returns whether it was still waiting. */
  remove(waiter: W): boolean {
    const { lane, before, after } = waiter
    if (lane === undefined) return false
    waiter.lane = undefined
    waiter.before = undefined
    waiter.after = undefined
    if (before) before.after = after
    else lane.first = after
    if (after) after.before = before
    else lane.last = before
    addTo(lane.queued, waiter.costs, -1)
    if (lane.first === undefined) this.#lanes.delete(lane.priority)
    this.size--
    if (this.size === 0) this.earliestEnd = Number.POSITIVE_INFINITY
    return true
  }

  /** Whose turn it is. */
  next(): W | undefined {
    let best: Waiter | undefined
    for (const { first } of this.#lanes.values()) {
      if (first && (!best || this.#isBefore(first, best))) best = first
    }
    return best as W | undefined
  }

  /** Whose turn comes last. */
  lowest(): W | undefined {
    let worst: Waiter | undefined
    for (const { last } of this.#lanes.values()) {
      if (last && (!worst || this.#isBefore(worst, last))) worst = last
    }
    return worst as W | undefined
  }

  oldest(): W | undefined {
    let oldest: Waiter | undefined
    for (const { first } of this.#lanes.values()) {
      if (first && (!oldest || first.order < oldest.order)) oldest = first
    }
    return oldest as W | undefined
  }

  /** Whether a newcomer's turn would come before that one's. */
  overtakes(newcomer: W, other: W): boolean {
    return this.#rank(newcomer) > this.#rank(other)
  }

  /** What surely goes before a newcomer: all of its priority and above. */
  ahead(priority: number, sum: number[]): number[] {
    for (const lane of this.#lanes.values()) {
      if (lane.priority >= priority) addTo(sum, lane.queued, 1)
    }
    return sum
  }

  /** Takes out all whose time ends by then. */
  takeEnding(by: number): W[] {
    const ending: Waiter[] = []
    let earliest = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes.values()) {
      for (let waiter = lane.first; waiter; waiter = waiter.after) {
        if (waiter.until <= by) ending.push(waiter)
        else if (waiter.until < earliest) earliest = waiter.until
      }
    }
    for (const waiter of ending) this.remove(waiter as W)
    this.earliestEnd = earliest
    return ending as W[]
  }

  #laneFor({ priority, costs }: W): Lane {
    let lane = this.#lanes.get(priority)
    if (lane === undefined) {
      lane = { priority, queued: costs.map(() => 0), first: undefined, last: undefined }
      this.#lanes.set(priority, lane)
    }
    return lane
  }

  #isBefore(a: Waiter, b: Waiter): boolean {
    const difference = this.#rank(a) - this.#rank(b)
    return difference > 0 || (difference === 0 && a.order < b.order)
  }

  #rank({ priority, since }: Waiter): number {
    return priority - since / this.#ageing
  }
}

function addTo(sum: number[], costs: Costs, sign: 1 | -1): void {
  for (let at = 0; at < sum.length; at++) {
    sum[at] = (sum[at] as number) + sign * (costs[at] as number)
  }
}
