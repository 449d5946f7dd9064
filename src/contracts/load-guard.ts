import type { ForeignLimiter, Runner } from './runner.ts'

/** What a fallback is told of the call that has failed. */
export interface FailedCall {
  /** Those of the wrapped function; none where a task was run. */
  readonly args: readonly unknown[]
}

/** Gives the value that stands in for one that could not be had. */
export type Fallback = (error: unknown, call: FailedCall) => unknown

/**
 * A guard in two parts. Between them a cache has something better to offer than the fallback: what it
 * still holds.
 */
export interface LoadGuard {
  /** Everything but the fallback. */
  readonly runner: Runner | ForeignLimiter
  readonly fallback: Fallback | undefined
}

/** Where a Runner with a fallback has its two parts, in every copy of the package. */
export const GUARD_PARTS: unique symbol = Symbol.for('@org/resilient-cache/guard-parts') as never

/** The parts of any Runner or limiter; mostly it is one itself. */
export function loadGuardOf(runner: Runner | ForeignLimiter): LoadGuard {
  const parts = (runner as { [GUARD_PARTS]?: LoadGuard })[GUARD_PARTS]
  return parts ?? { runner, fallback: undefined }
}
