import type { Clock } from '../../contracts/clock.ts'
import type { BreakerGate, PermitSource } from '../../contracts/permit.ts'
import type { ForeignLimiter, Runner } from '../../contracts/runner.ts'
import { type Duration, toMs } from '../../kernel/duration.ts'
import {
  checkBoolean,
  checkFunction,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import type { CircuitBreakerOptions } from '../breaker/breaker-options.ts'
import type { BulkheadOptions } from '../bulkhead/bulkhead-options.ts'
import type { FallbackValue } from '../fallback/fallback-rule.ts'
import { checkIdempotent, type Hedge } from '../hedge/hedge.ts'
import type { HedgeRule, HedgeRules } from '../hedge/hedge-rule.ts'
import type { RateLimiterOptions } from '../rate/limiter-options.ts'
import type { Retry } from '../retry/retry.ts'
import type { RetryRules } from '../retry/retry-options.ts'
import type { RetryRule } from '../retry/retry-rule.ts'
import type { Timeout } from '../timeout/timeout.ts'
import type { TimeoutRule, TimeoutRules } from '../timeout/timeout-rule.ts'
import { checkName } from './check-name.ts'

/** A stage that another part of the library makes, or any Runner or limiter in its place. */
export type Gate<G, O> = G | Runner | ForeignLimiter | O

/**
 * Options of {@link guard}, in the order of its stages, outermost first. Each may be left out; one that
 * is a thing of its own (a breaker, a limiter, a `retry()` …) may be given as such, to share it between
 * guards, or as its options.
 */
export interface GuardOptions {
  /** Label in metrics and messages. */
  name?: string
  /**
   * What stands in for a value that could not be had, a function of the error that gives it, or what
   * `fallback()` makes.
   */
  fallback?: FallbackValue
  /** Of the whole call, with all its attempts, waits and queues. */
  deadline?: Duration
  /** Calls a task again when it has failed. */
  retry?: RetryRules | Retry
  /** Starts a second copy of a slow task; needs `idempotent: true`. */
  hedge?: HedgeRules | Hedge
  /** Lets nothing pass while what the task calls is down. */
  breaker?: Gate<BreakerGate, CircuitBreakerOptions>
  /** So many per time. */
  limit?: Gate<PermitSource, RateLimiterOptions>
  /** So many at the same time. */
  bulkhead?: Gate<PermitSource, BulkheadOptions | number>
  /** Of each attempt, counted from when the task begins. */
  timeout?: Duration | TimeoutRules | Timeout
  /** Says that a task may run twice without harm; `false` says that it must not. */
  idempotent?: boolean
  clock?: Clock
  /** Uniform in [0, 1). */
  random?: () => number
}

const OF_GUARD = [
  'name',
  'fallback',
  'deadline',
  'retry',
  'hedge',
  'breaker',
  'limit',
  'bulkhead',
  'timeout',
  'idempotent',
  'clock',
  'random',
]

export function checkGuardOptions(options: unknown): asserts options is GuardOptions {
  checkOptionNames(options, OF_GUARD, 'guard()')
  checkName(options.name, 'guard()')
  checkBoolean(options.idempotent, 'idempotent')
  checkFunction(options.random, 'random')
  const { deadline } = options
  if (deadline !== undefined && toMs(deadline, 'deadline') === 0) {
    throw invalidOption('deadline must be longer than 0, or no call could ever end in time')
  }
  if (options.hedge !== undefined) {
    const own = (options.hedge as { idempotent?: unknown }).idempotent
    // A `hedge()` was only made because its maker said so.
    const said = typeof options.hedge === 'function' ? true : own
    checkIdempotent(options.idempotent ?? said, 'a guard with hedge')
  }
}

/** The stages that have to fit one another. */
export interface Together {
  readonly options: GuardOptions
  readonly deadlineMs: number
  readonly retry: RetryRule | undefined
  readonly hedge: HedgeRule | undefined
  readonly timeout: TimeoutRule | undefined
}

/** @throws ERR_INVALID_OPTION for a combination in which a stage could never do its work */
export function checkTogether({ options, deadlineMs, retry, hedge, timeout }: Together): void {
  if (timeout && timeout.ms > deadlineMs) {
    throw invalidOption(
      `timeout (${timeout.ms} ms) is longer than deadline (${deadlineMs} ms): no attempt could ` +
        'reach it; timeout is for one attempt, deadline for the whole call',
    )
  }
  const limitMs = Math.min(deadlineMs, timeout?.ms ?? Number.POSITIVE_INFINITY)
  if (hedge?.fixedMs !== undefined && hedge.fixedMs >= limitMs) {
    throw invalidOption(
      `hedge.after (${hedge.fixedMs} ms) is not shorter than ` +
        `${limitMs === timeout?.ms ? 'timeout' : 'deadline'} (${limitMs} ms): ` +
        'no second copy would ever be started',
    )
  }
  if (options.idempotent === false && retry && retry.attempts > 1 && !retry.isSelective) {
    throw invalidOption(
      'idempotent: false with retry: a task that must not run twice must not be repeated blindly; ' +
        'leave retry out, or say with retryIf after which errors nothing has happened',
    )
  }
}
