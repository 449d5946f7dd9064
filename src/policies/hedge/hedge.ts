import type { Clock } from '../../contracts/clock.ts'
import type { Runner } from '../../contracts/runner.ts'
import { checkBoolean, checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'
import { checkName } from '../guard/check-name.ts'
import { planOf } from '../guard/plan.ts'
import { withRule } from '../guard/rule-of.ts'
import { type Policy, policyOf } from '../guard/run-plan.ts'
import { HedgeRule, type HedgeRules, OF_HEDGE } from './hedge-rule.ts'

export interface HedgeOptions extends HedgeRules {
  /** Says that a task may run twice without harm: required. */
  idempotent: true
  /** Label in metrics and messages. */
  name?: string
  clock?: Clock
}

/** A Runner that starts a second copy of a slow task. */
export type Hedge = Runner &
  Policy<
    'call' | 'hedge' | 'budget-spent',
    | 'calls'
    | 'inFlight'
    | 'succeeded'
    | 'failed'
    | 'aborted'
    | 'hedges'
    | 'hedgesWon'
    | 'hedgesDenied'
  >

/**
 * Starts a second copy of a task that is slower than most, takes the answer that comes first, and aborts
 * the signal of the other copy. It cuts the tail of the latency for a few per cent more calls: J. Dean
 * and L. A. Barroso, "The Tail at Scale", CACM 2013.
 *
 * A failed copy is no answer while the other one runs; when both have failed, the error of the first is
 * what the caller gets.
 *
 * ```ts
 * const quick = hedge({ after: 'p95', idempotent: true })
 * const user = await quick((signal) => fetchUser(7, signal))
 * ```
 * @throws ERR_INVALID_OPTION, also where `idempotent: true` is missing
 */
export function hedge(options: HedgeOptions): Hedge {
  checkOptionNames(options, [...OF_HEDGE, 'name', 'clock'], 'hedge()')
  const { name, clock = realClock, ...rules } = options as HedgeOptions
  checkName(name, 'hedge()')
  checkIdempotent(rules.idempotent, 'hedge()')
  const rule = new HedgeRule(rules, clock, 'hedge')
  const plan = planOf('hedge()', name, clock, { hedge: rule })
  const { counts } = plan
  const runner = policyOf(plan, () => {
    const { calls, inFlight, succeeded, failed, aborted, hedges, hedgesWon, hedgesDenied } = counts
    return { calls, inFlight, succeeded, failed, aborted, hedges, hedgesWon, hedgesDenied }
  })
  return withRule(runner, rule)
}

/** @param where the option has to stand, for the message */
export function checkIdempotent(given: unknown, where: string): void {
  checkBoolean(given, 'idempotent')
  if (given === true) return
  throw invalidOption(
    `${where} needs idempotent: true, since it runs a task twice at the same time: ` +
      'give it only where that does no harm',
  )
}
