import type { Clock } from '../../contracts/clock.ts'
import type { Runner } from '../../contracts/runner.ts'
import { checkOptionNames } from '../../kernel/options.ts'
import { checkName } from '../guard/check-name.ts'
import { planOf } from '../guard/plan.ts'
import { withRule } from '../guard/rule-of.ts'
import { type Policy, policyOf } from '../guard/run-plan.ts'
import { FallbackRule, type FallbackValue } from './fallback-rule.ts'

export interface FallbackOptions {
  /** Label in metrics and messages. */
  name?: string
  clock?: Clock
}

/** A Runner that answers with something else when a task fails. */
export type FallbackRunner = Runner &
  Policy<
    'call' | 'fallback',
    'calls' | 'inFlight' | 'succeeded' | 'failed' | 'aborted' | 'fallbacks'
  >

/**
 * Answers with a value, or with what a function makes of the error, when a task fails; not when the
 * call was aborted. Who runs a task learns of it by `onFallback`; a cached function does, and does not
 * store the value.
 *
 * ```ts
 * const price = await fallback(0)(() => fetchPrice('tea'))
 * const named = fallback((error, { args: [id] }) => ({ id, name: 'unknown' })).wrap(fetchUser)
 * ```
 * Rejects only if the function does, or with `ERR_ABORTED`.
 */
export function fallback(
  valueOrFunction: FallbackValue | undefined,
  options: FallbackOptions = {},
): FallbackRunner {
  checkOptionNames(options, ['name', 'clock'], 'fallback()')
  const { name, clock } = options as FallbackOptions
  checkName(name, 'fallback()')
  const rule = new FallbackRule(valueOrFunction)
  const plan = planOf('fallback()', name, clock, { fallback: rule.answer })
  const { counts } = plan
  const runner = policyOf(plan, () => {
    const { calls, inFlight, succeeded, failed, aborted, fallbacks } = counts
    return { calls, inFlight, succeeded, failed, aborted, fallbacks }
  })
  return withRule(runner, rule)
}
