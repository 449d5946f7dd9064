import { GUARD_PARTS, type LoadGuard, loadGuardOf } from '../../contracts/load-guard.ts'
import {
  asRunner,
  type ForeignLimiter,
  isRunner,
  type Runner,
  type RunOptions,
} from '../../contracts/runner.ts'
import { kindOf } from '../../kernel/duration.ts'
import type { ResilienceError } from '../../kernel/errors.ts'
import { invalidOption } from '../../kernel/options.ts'
import { quietError } from '../../kernel/quiet-error.ts'

type Task = (signal: AbortSignal) => unknown

/** A Runner made of Runners. */
export type Composed = Runner & {
  /** The same function with this around each call. */
  wrap<S, A extends unknown[], R>(
    fn: (this: S, ...args: A) => R,
  ): (this: S, ...args: A) => Promise<Awaited<R>>
}

/**
 * One Runner of several, in the order you say: the first is the outermost. A limiter of another
 * library, such as a `pLimit(5)`, may be among them. `guard()` knows the order that is right in most
 * cases, and is cheaper: take this where you need another one.
 *
 * ```ts
 * const run = compose(retry({ attempts: 2 }), breaker, pLimit(5), timeout('2s'))
 * const user = await run((signal) => fetchUser(7, signal))
 * ```
 * @throws ERR_INVALID_OPTION for what is no Runner and no limiter
 */
export function compose(
  outermost: Runner | ForeignLimiter,
  ...inner: ReadonlyArray<Runner | ForeignLimiter>
): Composed {
  const all = [outermost, ...inner]
  const wrong = all.find((one) => typeof one !== 'function')
  if (wrong !== undefined || outermost === undefined) {
    throw invalidOption(`compose() takes Runners and limiters, got ${kindOf(wrong)}`)
  }
  const run = around(all)
  const parts = loadGuardOf(outermost)
  const withoutFallback: LoadGuard = {
    runner: around([parts.runner, ...inner]),
    fallback: parts.fallback,
  }
  return asRunner(run, {
    wrap<S, A extends unknown[], R>(fn: (this: S, ...args: A) => R) {
      return function (this: S, ...args: A) {
        return run(() => fn.apply(this, args)) as Promise<Awaited<R>>
      }
    },
    [GUARD_PARTS]: withoutFallback,
  })
}

function around(runners: ReadonlyArray<Runner | ForeignLimiter>): Runner {
  const step = (at: number, task: Task, options: RunOptions | undefined): PromiseLike<unknown> => {
    const runner = runners[at] as Runner | ForeignLimiter
    if (at === runners.length - 1) return under(runner, task, options)
    return under(runner, (signal) => step(at + 1, task, { ...options, signal }), options)
  }
  const run = async (task: Task, options?: RunOptions): Promise<unknown> => step(0, task, options)
  return asRunner(run as Runner, {})
}

/**
 * A limiter of another library knows no signal: what was aborted while it queued there is not begun, and
 * its caller need not wait for its turn.
 */
export function under(
  runner: Runner | ForeignLimiter,
  task: Task,
  options: RunOptions | undefined,
): PromiseLike<unknown> {
  if (isRunner(runner)) return runner(task, options)
  const signal = options?.signal
  if (signal === undefined) {
    return (runner as ForeignLimiter)(() => task(new AbortController().signal))
  }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(signal))
    const queued = (): unknown => {
      signal.removeEventListener('abort', onAbort)
      if (signal.aborted) throw aborted(signal)
      return task(signal)
    }
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const run = async (): Promise<unknown> => (runner as ForeignLimiter)(queued)
    void run()
      .then(resolve, reject)
      .then(() => signal.removeEventListener('abort', onAbort))
  })
}

function aborted(signal: AbortSignal): ResilienceError {
  return quietError('ERR_ABORTED', 'the call was aborted by its signal while it queued', {
    cause: signal.reason,
  })
}
