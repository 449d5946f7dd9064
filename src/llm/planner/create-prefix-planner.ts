import { checkPlannerOptions } from './check-planner-options.ts'
import type { PrefixPlanner, PrefixPlannerOptions } from './plan.ts'
import { Planner } from './planner.ts'

/**
 * A planner that places the markers of the provider's prompt cache so that the expected cost is least.
 *
 * It learns from the requests it plans: which parts they share, how conversations grow, how much time
 * passes between uses. A marker is set where what it saves at the next uses, weighed with how likely
 * they are, is more than what it costs now; all choices of markers and lifetimes are compared. Nothing
 * of a request but its markers is changed, and the object given is not touched.
 *
 * Texts are remembered as digests, up to `maxNodes` prefixes (50,000).
 *
 * @throws ERR_INVALID_OPTION for unknown or wrong options
 */
export function createPrefixPlanner(options: PrefixPlannerOptions = {}): PrefixPlanner {
  checkPlannerOptions(options)
  return new Planner(options)
}
