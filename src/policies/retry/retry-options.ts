import type { Clock } from '../../contracts/clock.ts'
import { type Duration, shown, toMs } from '../../kernel/duration.ts'
import {
  checkChoice,
  checkCount,
  checkFunction,
  checkNumber,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'

/** How long to wait before the next attempt. */
export interface BackoffOptions {
  /** Before the second attempt. @default '100ms' */
  initial?: Duration
  /** No wait is longer, unless the error asks for it. @default '10s' */
  max?: Duration
  /** Each wait is so many times the one before. @default 2 */
  factor?: number
  /** `'full'`: anything from 0 to the wait, so that callers that failed together do not come back together. @default 'full' */
  jitter?: 'full' | 'none'
}

/** When a task that has failed is called again. */
export interface RetryRules {
  /** Calls in all, the first included. @default 3 */
  attempts?: number
  backoff?: BackoffOptions
  /**
   * How many calls may be repeated, as a share of all calls; `false` for no bound. At first 10 are
   * free, and in quiet times one comes every 10 s.
   * @default 0.1
   */
  budget?: number | false
  /**
   * Whether an error is worth another attempt; `attempt` is the number of the one that failed. It is
   * not asked about what is never repeated: calls that were aborted, and errors of this library that
   * are not `retryable`.
   * @default all but errors with `retryable: false` or a `status` from 400 to 499 that is not 408, 425 or 429
   */
  retryIf?: (error: unknown, attempt: number) => boolean
}

export interface RetryOptions extends RetryRules {
  /** Label in metrics and messages. */
  name?: string
  clock?: Clock
  /** Uniform in [0, 1). */
  random?: () => number
}

export interface Backoff {
  readonly initialMs: number
  readonly maxMs: number
  readonly factor: number
  readonly isJittered: boolean
}

export const OF_RETRY = ['attempts', 'backoff', 'budget', 'retryIf'] as const
const OF_BACKOFF = ['initial', 'max', 'factor', 'jitter']

/** @param where the option stands, for messages: `retry` */
export function checkRetryRules(rules: RetryRules, where: string): void {
  const { attempts, budget } = rules
  if (typeof attempts === 'number' && attempts < 1) {
    throw invalidOption(
      `${where}.attempts counts all calls, the first included: it must be ≥ 1, got ${shown(attempts)}`,
    )
  }
  checkCount(attempts, `${where}.attempts`)
  if (budget !== false) checkNumber(budget, `${where}.budget`, 0, 1)
  checkFunction(rules.retryIf, `${where}.retryIf`)
  backoffOf(rules.backoff, where)
}

export function backoffOf(given: unknown, where: string): Backoff {
  const options: unknown = given ?? {}
  checkOptionNames(options, OF_BACKOFF, `${where}.backoff`)
  const { initial = 100, max = 10_000, factor = 2, jitter = 'full' } = options
  checkChoice(jitter, ['full', 'none'], `${where}.backoff.jitter`)
  checkNumber(factor, `${where}.backoff.factor`, 1, 100)
  const initialMs = toMs(initial, `${where}.backoff.initial`)
  const maxMs = toMs(max, `${where}.backoff.max`)
  if (initialMs > maxMs) {
    throw invalidOption(
      `${where}.backoff.initial (${initialMs} ms) is longer than ${where}.backoff.max (${maxMs} ms): ` +
        'the first wait is the shortest; raise max',
    )
  }
  return { initialMs, maxMs, factor: factor as number, isJittered: jitter === 'full' }
}
