import { ResilienceError } from '../../kernel/errors.ts'
import { quietError } from '../../kernel/quiet-error.ts'

/** Why a call was refused. */
export type RejectReason =
  /** Its wait was known to be too long. */
  | 'too-long'
  /** Its wait became too long. */
  | 'waited'
  | 'queue-full'
  /** It waited, and had to go for another. */
  | 'dropped'
  /** `tryAcquire` would have had to wait. */
  | 'not-now'
  /** Redis is down, and `whenDown` is `'closed'`. */
  | 'no-redis'

const TEXT: Record<Exclude<RejectReason, 'not-now'>, string> = {
  'too-long': 'the wait would be longer than its deadline or queue.maxWait',
  waited: 'it waited until its deadline or queue.maxWait',
  'queue-full': 'queue.max callers wait already',
  dropped: 'it was dropped from the full queue for another',
  'no-redis': "Redis does not answer and whenDown is 'closed'",
}

export function rateLimited(
  name: string,
  reason: Exclude<RejectReason, 'not-now'>,
  retryAfterMs: number,
): ResilienceError {
  const remedy = `try again in ${retryAfterMs} ms, send less, or raise its limits`
  return quietError('ERR_RATE_LIMITED', `rate limiter '${name}': ${TEXT[reason]}; ${remedy}`, {
    retryAfterMs,
  })
}

export function limiterClosed(name: string): ResilienceError {
  return new ResilienceError('ERR_CLOSED', `the rate limiter '${name}' was closed: make a new one`)
}

export function waitAborted(reason: unknown): ResilienceError {
  return quietError('ERR_ABORTED', 'the wait for a permit was aborted by its signal', {
    cause: reason,
  })
}
