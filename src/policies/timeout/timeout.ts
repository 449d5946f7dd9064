import type { Clock } from '../../contracts/clock.ts'
import type { Runner } from '../../contracts/runner.ts'
import type { Duration } from '../../kernel/duration.ts'
import { checkOptionNames } from '../../kernel/options.ts'
import { checkName } from '../guard/check-name.ts'
import { planOf } from '../guard/plan.ts'
import { withRule } from '../guard/rule-of.ts'
import { type Policy, policyOf } from '../guard/run-plan.ts'
import { OF_TIMEOUT, TimeoutRule, type TimeoutRules } from './timeout-rule.ts'

export interface TimeoutOptions extends TimeoutRules {
  /** Label in metrics and messages. */
  name?: string
  clock?: Clock
}

/** A Runner that ends the wait for a task. */
export type Timeout = Runner &
  Policy<'call' | 'timeout', 'calls' | 'inFlight' | 'succeeded' | 'failed' | 'aborted' | 'timeouts'>

/**
 * Ends the wait for a task after a while, and tells the task by its signal. Each call has a signal of
 * its own: one that takes too long disturbs no other.
 *
 * ```ts
 * const report = await timeout('5s')((signal) => fetch(url, { signal }))
 * ```
 * Rejects with `ERR_TIMEOUT`; with `mode: 'cooperative'` only after the task has ended, and not if it
 * succeeds all the same.
 * @throws ERR_INVALID_OPTION
 */
export function timeout(given: Duration | TimeoutOptions): Timeout {
  const isObject = typeof given === 'object' && given !== null
  if (isObject) checkOptionNames(given, [...OF_TIMEOUT, 'name', 'clock'], 'timeout()')
  const { name, clock, ...rules } = (isObject ? given : {}) as TimeoutOptions
  checkName(name, 'timeout()')
  const rule = new TimeoutRule(isObject ? rules : given, 'timeout()')
  const plan = planOf('timeout()', name, clock, { timeout: rule })
  const { counts } = plan
  const runner = policyOf(plan, () => {
    const { calls, inFlight, succeeded, failed, aborted, timeouts } = counts
    return { calls, inFlight, succeeded, failed, aborted, timeouts }
  })
  return withRule(runner, rule)
}
