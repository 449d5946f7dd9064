import type { Clock } from '../../contracts/clock.ts'
import { isResilienceError } from '../../kernel/errors.ts'
import { Budget } from './budget.ts'
import { retryAfterOf } from './retry-after.ts'
import { type Backoff, backoffOf, type RetryRules } from './retry-options.ts'

/** There is no further attempt. */
export const NO_RETRY = -1
/** There would be one, but too many calls are repeated already. */
export const BUDGET_SPENT = -2

/** Without a deadline nobody waits longer than that because a server says so, or `backoff.max` if that is more. */
const LONGEST_OBEYED_MS = 60_000

/** What is worth repeating among the answers that blame the caller (RFC 9110, RFC 8470, RFC 6585). */
const PASSING_STATUS: ReadonlySet<unknown> = new Set([408, 425, 429])

/** Decides whether a failed attempt is followed by another one, and when. Guards may share one, with its budget. */
export class RetryRule {
  readonly attempts: number
  readonly budget: Budget | undefined
  readonly #backoff: Backoff
  readonly #retryIf: RetryRules['retryIf']
  readonly #clock: Clock
  readonly #random: () => number

  constructor(rules: RetryRules, clock: Clock, random: () => number) {
    const { attempts = 3, backoff, budget = 0.1, retryIf } = rules
    this.attempts = attempts
    this.budget = budget === false ? undefined : new Budget(budget, clock)
    this.#backoff = backoffOf(backoff, 'retry')
    this.#retryIf = retryIf
    this.#clock = clock
    this.#random = random
  }

  /** The user says which errors are repeated. */
  get isSelective(): boolean {
    return this.#retryIf !== undefined
  }

  /**
   * @param attempt the number of the one that has failed, from 1
   * @param deadline instant of the clock until which the call has to end
   * @returns milliseconds to wait before the next one, `NO_RETRY` or `BUDGET_SPENT`
   */
  next(error: unknown, attempt: number, deadline: number): number {
    if (attempt >= this.attempts || !this.#isWorthwhile(error, attempt)) return NO_RETRY
    const asked = retryAfterOf(error, this.#clock.wall())
    // An open breaker closes by itself or not at all: only who knows when to ask again waits for it.
    const isOpen = isResilienceError(error, 'ERR_CIRCUIT_OPEN')
    const isBounded = deadline < Number.POSITIVE_INFINITY
    if (isOpen && (asked === undefined || !isBounded)) return NO_RETRY
    if (!isBounded && (asked ?? 0) > Math.max(LONGEST_OBEYED_MS, this.#backoff.maxMs)) {
      return NO_RETRY
    }
    const wait = Math.max(asked ?? 0, this.#backoffMs(attempt))
    // Never, or not known: the caller must not wait for it.
    if (!(wait < Number.POSITIVE_INFINITY)) return NO_RETRY
    if (isBounded && this.#clock.now() + wait >= deadline) return NO_RETRY
    return this.budget === undefined || this.budget.tryTake() ? wait : BUDGET_SPENT
  }

  #isWorthwhile(error: unknown, attempt: number): boolean {
    if (isResilienceError(error) && !error.retryable) return false
    // Whoever aborted it does not want it any more. What ends by itself is a `TimeoutError`.
    if ((error as { name?: unknown } | null | undefined)?.name === 'AbortError') return false
    return this.#retryIf ? this.#retryIf(error, attempt) === true : mayPass(error)
  }

  /** Exponential, and anything from 0 to that: M. Brooker, "Exponential Backoff And Jitter", AWS 2015. */
  #backoffMs(attempt: number): number {
    const { initialMs, maxMs, factor, isJittered } = this.#backoff
    // The power may be infinite, and so many times nothing is no number.
    const wait = initialMs === 0 ? 0 : Math.min(maxMs, initialMs * factor ** (attempt - 1))
    return isJittered ? wait * this.#random() : wait
  }
}

/** Whether the same call may succeed later, as far as its error tells. */
function mayPass(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return true
  const { retryable, status, statusCode } = error as Record<string, unknown>
  if (typeof retryable === 'boolean') return retryable
  const code = status ?? statusCode
  const blamesCaller = typeof code === 'number' && code >= 400 && code < 500
  return !blamesCaller || PASSING_STATUS.has(code)
}
