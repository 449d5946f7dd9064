import type { Runner } from '../../contracts/runner.ts'
import { checkFunction, checkOptionNames } from '../../kernel/options.ts'
import { realClock, realRandom } from '../../kernel/real-clock.ts'
import { checkName } from '../guard/check-name.ts'
import { planOf } from '../guard/plan.ts'
import { withRule } from '../guard/rule-of.ts'
import { type Policy, policyOf } from '../guard/run-plan.ts'
import { checkRetryRules, OF_RETRY, type RetryOptions } from './retry-options.ts'
import { RetryRule } from './retry-rule.ts'

/** A Runner that calls a task again when it has failed. */
export type Retry = Runner &
  Policy<
    'call' | 'retry' | 'budget-spent',
    'calls' | 'inFlight' | 'succeeded' | 'failed' | 'aborted' | 'retries' | 'retriesDenied'
  >

/**
 * Calls a task again when it has failed: at most `attempts` times in all, after a wait that grows and
 * is random, and only while few calls have to be repeated.
 *
 * - An error that asks for time (`retryAfterMs`, or a `Retry-After` header in it) gets it.
 * - No attempt and no wait is begun that cannot end before the `deadline` of the call.
 * - Never repeated: aborted calls, and errors of this library that are not `retryable`. An open breaker
 *   is waited for only where the time that it stays open fits the deadline.
 *
 * ```ts
 * const again = retry({ attempts: 3 })
 * const user = await again((signal) => fetchUser(7, signal))
 * ```
 * Rejects with the error of the last attempt; with `ERR_ABORTED` when the signal of the call is aborted,
 * with `ERR_TIMEOUT` when its `deadline` passes.
 * @throws ERR_INVALID_OPTION
 */
export function retry(options: RetryOptions = {}): Retry {
  checkOptionNames(options, [...OF_RETRY, 'name', 'clock', 'random'], 'retry()')
  const { name, clock = realClock, random = realRandom, ...rules } = options as RetryOptions
  checkName(name, 'retry()')
  checkFunction(random, 'random')
  checkRetryRules(rules, 'retry')
  const rule = new RetryRule(rules, clock, random)
  const plan = planOf('retry()', name, clock, { retry: rule })
  const { counts } = plan
  const runner = policyOf(plan, () => {
    const { calls, inFlight, succeeded, failed, aborted, retries, retriesDenied } = counts
    return { calls, inFlight, succeeded, failed, aborted, retries, retriesDenied }
  })
  return withRule(runner, rule)
}
