import type { Clock } from '../../src/index.ts'
// In your project: from '@org/resilient-cache/llm'
import { createPrefixPlanner, type Plan, type PrefixPlanner } from '../../src/llm.ts'

export interface WatchedPlanner extends PrefixPlanner {
  /** Of a request that was sent. */
  planOf(request: object): Plan<unknown> | undefined
}

/** A planner that remembers its plans, so that a table can say why something was written. */
export function watchedPlanner(clock: Clock | undefined): WatchedPlanner {
  const planner = createPrefixPlanner(clock && { clock })
  const plans = new WeakMap<object, Plan<unknown>>()
  return {
    plan(input) {
      const plan = planner.plan(input)
      plans.set(input.request, plan)
      return plan
    },
    observe: (plan, usage, times) => planner.observe(plan, usage, times),
    explain: (route) => planner.explain(route),
    snapshot: () => planner.snapshot(),
    restore: (snapshot) => planner.restore(snapshot),
    planOf: (request) => plans.get(request),
  }
}
