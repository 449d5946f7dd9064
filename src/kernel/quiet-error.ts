import { type ErrorCode, ResilienceError } from './errors.ts'

/**
 * An error without a stack: it would show a timer or a listener of ours, never the caller, and
 * capturing it costs several times the rest of a rejected call. Under overload there are thousands.
 */
export function quietError(
  code: ErrorCode,
  message: string,
  options?: ConstructorParameters<typeof ResilienceError>[2],
): ResilienceError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new ResilienceError(code, message, options)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
