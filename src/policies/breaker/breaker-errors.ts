import type { ResilienceError } from '../../kernel/errors.ts'
import { quietError } from '../../kernel/quiet-error.ts'

/**
 * One for all calls that an opening turns away: to make an error costs several times what the rest of a
 * rejection does, most of it for a stack that would show whoever came first. `retryAfterMs` is what is
 * left at the time of reading.
 */
export function openError(
  name: string,
  cause: Error | undefined,
  leftMs: () => number,
): ResilienceError {
  const error = quietError(
    'ERR_CIRCUIT_OPEN',
    `the circuit '${name}' is open since too many of its calls failed or were slow (see cause); call again after retryAfterMs, or do without`,
    cause && { cause },
  )
  Object.defineProperty(error, 'retryAfterMs', { get: leftMs, enumerable: true })
  return error
}

export function probingError(name: string, cause: Error | undefined): ResilienceError {
  return quietError(
    'ERR_CIRCUIT_OPEN',
    `the circuit '${name}' is half-open and as many calls as it takes are finding out; call again soon, or set halfOpen.waiters to 'wait'`,
    cause && { cause },
  )
}

export function isolatedError(name: string, reason: string | undefined): ResilienceError {
  return quietError(
    'ERR_CIRCUIT_OPEN',
    `the circuit '${name}' is isolated${reason === undefined ? '' : ` (${reason})`}; dispose what isolate() gave, or call reset()`,
    { retryable: false },
  )
}

export function timeoutError(name: string, ms: number): ResilienceError {
  return quietError(
    'ERR_TIMEOUT',
    `a call through the circuit '${name}' has not ended within ${ms} ms; set a longer timeout if that is usual`,
  )
}

export function abortedError(signal: AbortSignal): ResilienceError {
  return quietError('ERR_ABORTED', 'the call was aborted by its signal', {
    cause: signal.reason,
  })
}
