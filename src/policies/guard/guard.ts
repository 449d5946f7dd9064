import type { Runner } from '../../contracts/runner.ts'
import { kindOf, toMs } from '../../kernel/duration.ts'
import { checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { realClock, realRandom } from '../../kernel/real-clock.ts'
import { FallbackRule } from '../fallback/fallback-rule.ts'
import { HedgeRule, type HedgeRules, OF_HEDGE } from '../hedge/hedge-rule.ts'
import { checkRetryRules, OF_RETRY, type RetryRules } from '../retry/retry-options.ts'
import { RetryRule } from '../retry/retry-rule.ts'
import { TimeoutRule, type TimeoutRules } from '../timeout/timeout-rule.ts'
import { compile } from './compile.ts'
import { buildGates } from './gates.ts'
import type { GuardEvents, GuardStats } from './guard-events.ts'
import { checkGuardOptions, checkTogether, type GuardOptions } from './guard-options.ts'
import { planOf, type Stages } from './plan.ts'
import { ruleOf } from './rule-of.ts'
import { type Policy, policyOf } from './run-plan.ts'

const NEVER = Number.POSITIVE_INFINITY

/** A Runner that puts everything that protects a call around it, in the right order. */
export type Guard = Runner & Policy<keyof GuardEvents, keyof GuardStats>

/**
 * One Runner of all that protects a call, in the order that is right. Outermost first:
 *
 * 1. `fallback`: sees the final error once, that of the deadline too.
 * 2. `deadline`: of the whole call; nothing inside begins what it does not leave time for.
 * 3. `retry`: each attempt pays its way through what follows.
 * 4. `hedge`: within one attempt, the loser is aborted.
 * 5. `breaker`: while it is open no token is spent and no slot is held. What `limit`, `bulkhead`,
 *    `deadline` or the caller ended is no failure to it; an attempt that ran into `timeout` is.
 * 6. `limit`, then `bulkhead`: no slot is held while waiting for tokens.
 * 7. `timeout`: of one attempt, from when the task begins, not while it queues.
 *
 * ```ts
 * const claude = guard({ name: 'claude', deadline: '30s', retry: {}, breaker: {}, timeout: '12s' })
 * const answer = await claude((signal) => callClaude(request, signal))
 * ```
 * Rejects with the error of the task; with `ERR_TIMEOUT`, `ERR_CIRCUIT_OPEN`, `ERR_RATE_LIMITED`,
 * `ERR_BULKHEAD_FULL` or `ERR_ABORTED`.
 * @throws ERR_INVALID_OPTION for wrong options and for combinations that make no sense, saying why
 */
export function guard(options: GuardOptions = {}): Guard {
  checkGuardOptions(options)
  const { name, clock = realClock, random = realRandom } = options
  const outer = planOf('guard', name, clock, rulesOf(options))
  const { plan, run, stats } = compile(outer, buildGates(options, { name, clock, random }))
  return policyOf(plan, stats, run)
}

/** @throws what `guard(options)` would throw; nothing is begun */
export function checkGuard(options: GuardOptions): void {
  checkGuardOptions(options)
  rulesOf(options)
  const { limit, ...others } = options
  // A limiter that shares its rates asks Redis as soon as it is made: that one has to wait.
  const isShared = typeof limit === 'object' && limit !== null && 'distributed' in limit
  const world = { name: options.name, clock: realClock, random: realRandom }
  buildGates(isShared ? others : options, world)
}

/** The stages that are rules: all but breaker, limit and bulkhead. */
function rulesOf(options: GuardOptions): Stages {
  const { deadline } = options
  const deadlineMs = deadline === undefined ? NEVER : toMs(deadline, 'deadline')
  const retry = options.retry === undefined ? undefined : retryRule(options.retry, options)
  const hedge = options.hedge === undefined ? undefined : hedgeRule(options.hedge, options)
  const timeout = options.timeout === undefined ? undefined : timeoutRule(options.timeout)
  checkTogether({ options, deadlineMs, retry, hedge, timeout })
  const fallback = options.fallback === undefined ? undefined : fallbackRule(options.fallback)
  return { fallback: fallback?.answer, deadlineMs, retry, hedge, timeout }
}

function retryRule(given: unknown, { clock, random }: GuardOptions): RetryRule {
  const made = ruleOf(given, RetryRule)
  if (made) return made
  refuseRunner(given, 'retry', 'retry()')
  checkOptionNames(given, OF_RETRY, 'retry')
  checkRetryRules(given as RetryRules, 'retry')
  return new RetryRule(given as RetryRules, clock ?? realClock, random ?? realRandom)
}

function hedgeRule(given: unknown, { clock }: GuardOptions): HedgeRule {
  const made = ruleOf(given, HedgeRule)
  if (made) return made
  refuseRunner(given, 'hedge', 'hedge()')
  checkOptionNames(given, OF_HEDGE, 'hedge')
  return new HedgeRule(given as unknown as HedgeRules, clock ?? realClock, 'hedge')
}

function timeoutRule(given: unknown): TimeoutRule {
  const made = ruleOf(given, TimeoutRule)
  if (made) return made
  refuseRunner(given, 'timeout', 'timeout()')
  return new TimeoutRule(given as TimeoutRules, 'timeout')
}

function fallbackRule(given: unknown): FallbackRule {
  return ruleOf(given, FallbackRule) ?? new FallbackRule(given)
}

/** A guard takes what its stage knows, not a function that it could only run around all others. */
function refuseRunner(given: unknown, option: string, maker: string): void {
  if (typeof given !== 'function') return
  throw invalidOption(
    `${option} of guard() must be its options or what ${maker} makes, got ${kindOf(given)}; ` +
      'compose() takes any Runner, in any order',
  )
}
