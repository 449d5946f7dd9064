import { describe, expect, it } from 'vitest'
import { costWithoutCaching, lowerBound } from '../../../bench/llm/lower-bound.ts'
import { AccountingOracle } from '../../../bench/llm/oracle.ts'
import { blocksOf } from '../../../bench/llm/prompt-blocks.ts'
import { randomWorkload, type TimedRequest, workloads } from '../../../bench/llm/workloads.ts'
import { findProfile } from '../../../src/llm/models/profiles.ts'
import { createPrefixPlanner } from '../../../src/llm/planner/create-prefix-planner.ts'
import { MODEL } from './planner-world.ts'

const profile = findProfile('anthropic', MODEL)
const SEED = 1
const WARM_UP = 5

/** What the requests cost as planned, told nothing but their routes. */
function replay(requests: readonly TimedRequest[]) {
  const planner = createPrefixPlanner()
  const oracle = new AccountingOracle(profile)
  const sums = { cost: 0, warmCost: 0, warmNone: 0, wrongForecasts: 0 }
  requests.forEach(({ request, route, at }, index) => {
    const plan = planner.plan({ request, route, now: at })
    const bill = oracle.call(plan.request, at)
    if (Math.abs(bill.cost - plan.expected.cost) > 0.01) sums.wrongForecasts++
    sums.cost += bill.cost
    if (index < WARM_UP) return
    sums.warmCost += bill.cost
    sums.warmNone += blocksOf(request).reduce((sum, { tokens }) => sum + tokens, 0)
  })
  const none = costWithoutCaching(requests)
  return { ...sums, saved: none - sums.cost, savable: none - lowerBound(requests, profile) }
}

describe('what the planner saves, of the most that can be saved', () => {
  it.each(workloads)(
    'at least 97 % with: $name',
    ({ requests }) => {
      const { saved, savable, wrongForecasts } = replay(requests(SEED))
      expect(saved / savable).toBeGreaterThanOrEqual(0.97)
      expect(wrongForecasts).toBe(0)
    },
    60_000,
  )

  it('never costs more than no caching once it has seen five requests, whatever comes', () => {
    let saved = 0
    let savable = 0
    for (let seed = 0; seed < 100; seed++) {
      const result = replay(randomWorkload(seed))
      expect(result.warmCost, `seed ${seed}`).toBeLessThanOrEqual(1.02 * result.warmNone)
      expect(result.wrongForecasts, `seed ${seed}`).toBe(0)
      saved += result.saved
      savable += result.savable
    }
    expect(saved / savable).toBeGreaterThanOrEqual(0.95)
  }, 60_000)
})
