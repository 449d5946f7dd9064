import { GUARD_PARTS, type LoadGuard } from '../../contracts/load-guard.ts'
import { asRunner, type Runner, type RunOptions } from '../../contracts/runner.ts'
import { Call, type Work } from './call.ts'
import type { GuardEvents, GuardStats } from './guard-events.ts'
import type { Plan } from './plan.ts'

/** What every Runner of ours has besides running tasks. */
export interface Policy<E extends keyof GuardEvents, S extends keyof GuardStats> {
  /** Label in metrics and events. */
  readonly name: string
  /**
   * The same function with this around each call. It does not see the signal; where it should, run a
   * task: `(id) => run((signal) => load(id, signal))`.
   */
  wrap<S, A extends unknown[], R>(
    fn: (this: S, ...args: A) => R,
  ): (this: S, ...args: A) => Promise<Awaited<R>>
  /** @returns a function that stops listening */
  on<N extends E>(event: N, listener: (event: GuardEvents[N]) => void): () => void
  /** What was counted since it was made. */
  stats(): Pick<GuardStats, S>
}

/** How a call gets through a plan, or through several around one another. */
export type RunWork = (work: Work, options: RunOptions | undefined) => Promise<unknown>

export function throughPlan(plan: Plan): RunWork {
  return (work, options) => new Call(plan, work, options).run()
}

/** A Runner that runs tasks and wrapped functions through a plan. */
export function policyOf<E extends keyof GuardEvents, S extends keyof GuardStats>(
  plan: Plan,
  stats: () => Pick<GuardStats, S>,
  run: RunWork = throughPlan(plan),
): Runner & Policy<E, S> {
  const runner = runnerOf(run, true)
  const parts: LoadGuard = { runner: runnerOf(run, false), fallback: noticed(plan) }
  const members: Policy<E, S> & { readonly [GUARD_PARTS]: LoadGuard } = {
    name: plan.name,
    wrap(fn) {
      const wrapped = function (this: unknown, ...args: unknown[]): Promise<unknown> {
        const task = (): unknown => fn.apply(this as never, args as never)
        return run({ task, takesSignal: false, args, usesFallback: true }, undefined)
      }
      Object.defineProperty(wrapped, 'name', { value: fn.name, configurable: true })
      return wrapped as never
    },
    on: (event, listener) => plan.events.on(event, listener),
    stats,
    [GUARD_PARTS]: parts,
  }
  return asRunner(runner, members)
}

function runnerOf(run: RunWork, usesFallback: boolean): Runner {
  return asRunner(
    ((task: Work['task'], options?: RunOptions) =>
      run({ task, takesSignal: true, usesFallback }, options)) as Runner,
    {},
  )
}

/** The fallback for one who calls it himself; it is counted all the same. */
function noticed({ fallback, counts, events, name }: Plan): LoadGuard['fallback'] {
  if (fallback === undefined) return undefined
  return (error, call) => {
    counts.fallbacks++
    if (events.has('fallback')) events.emit('fallback', { name, error })
    return fallback(error, call)
  }
}
