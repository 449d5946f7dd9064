/** What went wrong, as a stable word a program can switch on. */
export type ErrorCode =
  | 'ERR_TIMEOUT'
  | 'ERR_CIRCUIT_OPEN'
  | 'ERR_RATE_LIMITED'
  | 'ERR_BULKHEAD_FULL'
  | 'ERR_ABORTED'
  | 'ERR_INVALID_OPTION'
  | 'ERR_ALREADY_CONFIGURED'
  | 'ERR_UNCACHEABLE_KEY'
  | 'ERR_UNSERIALIZABLE'
  | 'ERR_L2_UNAVAILABLE'
  | 'ERR_CLOSED'
  | 'ERR_NOT_FOUND'

const BRAND: unique symbol = Symbol.for('@org/resilient-cache/error') as never

/** Codes whose cause usually passes by itself, so that trying again later makes sense. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_TIMEOUT',
  'ERR_CIRCUIT_OPEN',
  'ERR_RATE_LIMITED',
  'ERR_BULKHEAD_FULL',
  'ERR_L2_UNAVAILABLE',
])

/**
 * The one error class of this library. Tell its kinds apart by {@link ResilienceError.code}, and
 * recognise it with {@link isResilienceError}: two copies of the package in one process have two
 * classes, so `instanceof` would lie.
 *
 * Messages name the remedy; they never contain a key, a value or a secret.
 */
export class ResilienceError extends Error {
  override readonly name = 'ResilienceError'
  readonly code: ErrorCode
  /** Whether the same call may succeed later without a change to the program. */
  readonly retryable: boolean
  /** With `ERR_RATE_LIMITED` and `ERR_CIRCUIT_OPEN`: when to try again, in milliseconds. */
  readonly retryAfterMs?: number
  readonly [BRAND] = true

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryable?: boolean; retryAfterMs?: number } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.retryable = options.retryable ?? RETRYABLE.has(code)
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
  }
}

/**
 * Whether `error` comes from this library, from any copy of it, and, when `code` is given, is of
 * that kind.
 */
export function isResilienceError(error: unknown, code?: ErrorCode): error is ResilienceError {
  return (
    typeof error === 'object' &&
    error !== null &&
    (error as { [BRAND]?: unknown })[BRAND] === true &&
    (code === undefined || (error as ResilienceError).code === code)
  )
}
