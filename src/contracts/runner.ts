/** What a caller may say about one task. */
export interface RunOptions {
  signal?: AbortSignal
  /** Share of a limit this task takes. */
  weight?: number
  /** Higher first. */
  priority?: number
  tenant?: string
}

/**
 * Runs a task under some policy: a breaker, a limiter, a bulkhead, a retry and a whole guard are all
 * Runners. It calls `task` with a signal that tells it to give up.
 */
export type Runner = <T>(
  task: (signal: AbortSignal) => PromiseLike<T> | T,
  options?: RunOptions,
) => Promise<T>

/** A limiter of another library, such as the function that `pLimit(5)` returns. */
export type ForeignLimiter = <T>(task: () => PromiseLike<T> | T) => PromiseLike<T>

/** Marks our Runners, in every copy of the package: they are called with the signal. */
export const RUNNER: unique symbol = Symbol.for('@org/resilient-cache/runner') as never

export function isRunner(value: unknown): value is Runner {
  return typeof value === 'function' && (value as { [RUNNER]?: unknown })[RUNNER] === true
}
