import { shown } from '../../kernel/duration.ts'
import { checkCount, checkOptionNames, invalidOption } from '../../kernel/options.ts'

/** So much in a period, refilled continuously. */
export interface RateLimit {
  readonly kind: 'rate'
  readonly amount: number
  readonly periodMs: number
  /** What may be taken at once after a quiet time. */
  readonly burst: number
}

/** So many at the same time. */
export interface ConcurrencyLimit {
  readonly kind: 'concurrency'
  readonly max: number
}

/** What `perSecond`, `perMinute` and `concurrency` make. */
export type Limit = RateLimit | ConcurrencyLimit

export interface RateOptions {
  /** What may be taken at once after a quiet time. @default a whole period's amount, at least 1 */
  burst?: number
}

/**
 * A limit of `amount` per second, refilled continuously: at most `amount × seconds + burst` in any
 * stretch of time.
 * @throws ERR_INVALID_OPTION
 */
export function perSecond(amount: number, options: RateOptions = {}): RateLimit {
  return rate('perSecond', amount, 1000, options)
}

/**
 * A limit of `amount` per minute, refilled continuously: at most `amount × minutes + burst` in any
 * stretch of time.
 * @throws ERR_INVALID_OPTION
 */
export function perMinute(amount: number, options: RateOptions = {}): RateLimit {
  return rate('perMinute', amount, 60_000, options)
}

/**
 * A limit of `max` at the same time, in this process.
 * @throws ERR_INVALID_OPTION
 */
export function concurrency(max: number): ConcurrencyLimit {
  if (max === undefined) throw invalidOption('concurrency(n) needs its number')
  checkCount(max, 'concurrency(n)')
  return { kind: 'concurrency', max }
}

function rate(name: string, amount: number, periodMs: number, options: RateOptions): RateLimit {
  checkAmount(amount, `${name}(n)`)
  checkOptionNames(options as unknown, ['burst'], `${name}(n, options)`)
  const { burst = Math.max(1, amount) } = options
  checkAmount(burst, `burst of ${name}`)
  return { kind: 'rate', amount, periodMs, burst }
}

function checkAmount(value: unknown, what: string): void {
  if (typeof value !== 'number' || !(value > 0) || value === Number.POSITIVE_INFINITY) {
    throw invalidOption(`${what} must be a number > 0, got ${shown(value)}`)
  }
}
