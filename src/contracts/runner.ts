/** What a call takes of each dimension of a limit; a number means the only or the first one. */
export type Cost = number | Readonly<Record<string, number>>

/** What a caller may say about one task. */
export interface RunOptions {
  signal?: AbortSignal
  /** Share of a limit this task takes. */
  weight?: number
  /** The same for a limiter of several dimensions: what the task takes of each. */
  cost?: Cost
  /** Higher first. */
  priority?: number
  tenant?: string
  /** Instant of the clock until which the whole call has to end. */
  deadline?: number
  /** Told when the value comes from a fallback, and in place of which error, before it is there. */
  onFallback?: (error: unknown) => void
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

/** Makes a Runner of a function, with what else it is to have. */
export function asRunner<M extends object>(run: Runner, members: M): Runner & M {
  Object.defineProperty(run, RUNNER, { value: true })
  return Object.defineProperties(run, Object.getOwnPropertyDescriptors(members)) as Runner & M
}

/** Runs a task under a limiter, of this library or another. */
export function runUnder<T>(
  limiter: Runner | ForeignLimiter,
  task: (signal: AbortSignal) => PromiseLike<T> | T,
  signal: () => AbortSignal,
  options?: RunOptions,
): PromiseLike<T> {
  if (isRunner(limiter)) return limiter(task, { ...options, signal: signal() })
  return (limiter as ForeignLimiter)(() => task(signal()))
}

export function isRunner(value: unknown): value is Runner {
  return typeof value === 'function' && (value as { [RUNNER]?: unknown })[RUNNER] === true
}
