import type { Cost } from '../../contracts/runner.ts'
import { shown } from '../../kernel/duration.ts'
import { invalidOption, unknownName } from '../../kernel/options.ts'
import type { ConcurrencyLimit, Limit, RateLimit } from './limit.ts'

/** What a call takes of each dimension: first the rates, then what is held in flight. */
export type Costs = readonly number[]

/** Puts the dimensions of a limiter in an order, and costs into that order. */
export class CostPlan {
  readonly names: readonly string[]
  readonly rates: readonly RateLimit[]
  readonly slots: readonly ConcurrencyLimit[]
  /** What a call costs that says nothing. */
  readonly usual: Costs
  /** The dimension that a plain number means. */
  readonly primary: number
  readonly #most: readonly number[]

  constructor(limits: Readonly<Record<string, Limit>>) {
    const entries = Object.entries(limits)
    const rates = entries.filter((entry): entry is [string, RateLimit] => entry[1].kind === 'rate')
    const slots = entries.filter(
      (entry): entry is [string, ConcurrencyLimit] => entry[1].kind === 'concurrency',
    )
    this.rates = rates.map(([, limit]) => limit)
    this.slots = slots.map(([, limit]) => limit)
    this.names = [...rates, ...slots].map(([name]) => name)
    this.#most = [...this.rates.map(({ burst }) => burst), ...this.slots.map(({ max }) => max)]
    const requests = rates.findIndex(([name]) => name === 'requests')
    this.primary = Math.max(0, requests)
    const counts = (at: number): boolean =>
      at >= rates.length || at === requests || rates.length === 1
    this.usual = this.names.map((_, at) => (counts(at) ? 1 : 0))
  }

  /**
   * @throws ERR_INVALID_OPTION for a dimension that there is not, a number that is none, and for
   *   more than could ever be let through
   */
  of(cost: Cost | undefined): Costs {
    if (cost === undefined) return this.usual
    const costs = this.#fill(cost, this.usual)
    for (let at = 0; at < costs.length; at++) {
      const most = this.#most[at] as number
      if ((costs[at] as number) > most) throw tooMuch(this.names[at], costs[at], most)
    }
    return costs
  }

  /** What a call cost after all: what is not named was estimated right. It may be any amount. */
  actual(cost: Cost | undefined, estimated: Costs): Costs {
    return cost === undefined ? estimated : this.#fill(cost, estimated)
  }

  #fill(cost: Cost, others: Costs): Costs {
    const costs = [...others]
    if (typeof cost === 'number') {
      costs[this.primary] = amount(cost, this.names[this.primary])
      return costs
    }
    if (typeof cost !== 'object' || cost === null) {
      throw invalidOption(`a cost must be a number or { dimension: number }, got ${shown(cost)}`)
    }
    for (const [name, value] of Object.entries(cost)) {
      const at = this.names.indexOf(name)
      if (at < 0) throw unknownName(name, this.names, 'unknown dimension of a cost')
      // Usage objects of providers have members without a value.
      if (value !== undefined && value !== null) costs[at] = amount(value, name)
    }
    return costs
  }
}

function amount(value: unknown, name: string | undefined): number {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value
  throw invalidOption(`the cost in '${name}' must be a number ≥ 0, got ${shown(value)}`)
}

function tooMuch(name: string | undefined, cost: unknown, most: number) {
  return invalidOption(
    `a cost of ${cost} in '${name}' can never be let through: at most ${most} fit at once; ` +
      'split the call, or raise the burst',
  )
}
