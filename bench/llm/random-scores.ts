import { setImmediate } from 'node:timers/promises'
import type { ModelProfile } from '../../src/llm/models/model-profile.ts'
import { costWithoutCaching, lowerBound } from './lower-bound.ts'
import { AccountingOracle, type OracleBill } from './oracle.ts'
import { scoreOf } from './score.ts'
import { type Strategy, strategies } from './strategies.ts'
import type { TimedRequest } from './timed-request.ts'
import { randomWorkload } from './workloads.ts'

/** Requests after which a strategy must have found out what it deals with. */
const WARM_UP = 5

/** How a strategy does on workloads that nobody has chosen. */
export interface RandomScore {
  readonly strategy: string
  readonly meanScore: number
  readonly worstScore: number
  /** Seed of the workload with the worst score. */
  readonly worstScoreSeed: number
  /** All workloads together: of what could be saved, how much was. */
  readonly pooledScore: number
  /**
   * Of all workloads the most by which requests after the first five cost more than without caching, as a
   * share; below 0: none did.
   */
  readonly worstExcess: number
  readonly worstExcessSeed: number
  /** Workloads whose excess is above 2 %. */
  readonly over2Percent: number
}

/**
 * The accounting is that of the oracle: through the SDK it would be the same, which the other workloads
 * show, and take half an hour.
 */
export async function scoreRandom(
  count: number,
  profile: ModelProfile,
  onProgress: (done: number) => void,
): Promise<RandomScore[]> {
  const tallies = strategies.map((strategy) => new Tally(strategy))
  for (let seed = 0; seed < count; seed++) {
    const requests = randomWorkload(seed)
    const bound = lowerBound(requests, profile)
    const bare = requests.map((timed) => costWithoutCaching([timed]))
    for (const tally of tallies)
      tally.add(seed, costsOf(requests, tally.strategy, profile), bare, bound)
    onProgress(seed + 1)
    // Lets the progress be shown.
    await setImmediate()
  }
  return tallies.map((tally) => tally.score())
}

function costsOf(
  requests: readonly TimedRequest[],
  strategy: Strategy,
  profile: ModelProfile,
): number[] {
  const oracle = new AccountingOracle(profile)
  const marking = strategy.begin()
  return requests.map((timed) => {
    const request = marking.mark(timed)
    const bill = oracle.call(request, timed.at)
    marking.learn(usageOf(bill, timed), timed.at)
    return bill.cost
  })
}

function usageOf(bill: OracleBill, { request, outputTokens }: TimedRequest) {
  const { read, write5m, write1h, input } = bill
  return {
    provider: 'anthropic',
    model: request.model,
    inputTotal: read + write5m + write1h + input,
    inputUncached: input,
    cacheRead: read,
    cacheWrite: { '5m': write5m, '1h': write1h },
    output: outputTokens,
    raw: bill,
  }
}

class Tally {
  readonly strategy: Strategy
  readonly #scores: { seed: number; score: number }[] = []
  readonly #excesses: { seed: number; excess: number }[] = []
  #saved = 0
  #possible = 0

  constructor(strategy: Strategy) {
    this.strategy = strategy
  }

  add(seed: number, costs: readonly number[], bare: readonly number[], bound: number): void {
    const none = sum(bare)
    const cost = sum(costs)
    const score = scoreOf(cost, { none, bound })
    if (score !== undefined) this.#scores.push({ seed, score })
    const excess = sum(costs.slice(WARM_UP)) / sum(bare.slice(WARM_UP)) - 1
    this.#excesses.push({ seed, excess })
    this.#saved += none - cost
    this.#possible += none - bound
  }

  score(): RandomScore {
    const worst = this.#scores.reduce((a, b) => (b.score < a.score ? b : a))
    const dearest = this.#excesses.reduce((a, b) => (b.excess > a.excess ? b : a))
    return {
      strategy: this.strategy.name,
      meanScore: sum(this.#scores.map(({ score }) => score)) / this.#scores.length,
      worstScore: worst.score,
      worstScoreSeed: worst.seed,
      pooledScore: this.#saved / this.#possible,
      worstExcess: dearest.excess,
      worstExcessSeed: dearest.seed,
      over2Percent: this.#excesses.filter(({ excess }) => excess > 0.02).length,
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
