import { asRunner, type Runner, type RunOptions } from '../../contracts/runner.ts'
import { kindOf } from '../../kernel/duration.ts'
import { checkNumber, invalidOption } from '../../kernel/options.ts'
import { type BottleneckEvents, type BottleneckLimiterStats, Limiter } from './limiter.ts'
import {
  type BottleneckHardening,
  type BottleneckOptions,
  limiterSettings,
} from './limiter-options.ts'

/** What {@link bottleneckLimiter} returns. */
export interface BottleneckLimiter extends Runner, AsyncDisposable {
  readonly name: string
  /** @returns a function that stops listening. */
  on<N extends keyof BottleneckEvents>(
    event: N,
    listener: (event: BottleneckEvents[N]) => unknown,
  ): () => void
  stats(): BottleneckLimiterStats
  /** Rejects the jobs that wait with ERR_CLOSED and leaves the store; what runs goes on to its end. */
  close(): Promise<void>
}

/**
 * bottleneck as a Runner that survives its store: priorities, weights and a limit that several
 * processes share through Redis, without its three faults. Lost keys (a failover, an eviction, a flush)
 * are made anew instead of rejecting every job for ever; a store that does not answer costs a job at most
 * `storeWait`, then it is limited in this process; a job runs once, wherever its copies are. The
 * reservoir of a shared limiter is refilled on time, and not every 5 s.
 *
 * ```ts
 * const limit = bottleneckLimiter({ id: 'partner-api', datastore: 'ioredis', maxConcurrent: 5 })
 * await limit((signal) => fetch(url, { signal }), { priority: 2 })
 * ```
 *
 * Of `RunOptions` it takes `signal`, `weight` and `priority`: higher first, 5 to -4, 0 in the middle.
 * A job rejects with ERR_RATE_LIMITED where `highWater` drops it, with ERR_ABORTED where its signal
 * aborts before its turn, with ERR_CLOSED after the end, with ERR_INVALID_OPTION for a weight that is no
 * number ≥ 0, or above `maxConcurrent`.
 *
 * @throws ERR_INVALID_OPTION for unknown and wrong options.
 */
export function bottleneckLimiter(
  options: BottleneckOptions = {},
  hardening: BottleneckHardening = {},
): BottleneckLimiter {
  const settings = limiterSettings(options, hardening)
  const limiter = new Limiter(settings)
  const run = (task: (signal: AbortSignal) => unknown, runOptions?: RunOptions) => {
    if (typeof task !== 'function') {
      throw invalidOption(`a limiter takes a function, got ${kindOf(task)}`)
    }
    // bottleneck adds it up unseen: after one NaN no job would ever have a place again.
    try {
      checkNumber(runOptions?.weight, 'weight', 0, Number.MAX_SAFE_INTEGER)
    } catch (error) {
      return Promise.reject(error)
    }
    return limiter.run(task, runOptions)
  }
  const members = {
    name: settings.name,
    on: limiter.on.bind(limiter) as BottleneckLimiter['on'],
    stats: () => limiter.stats(),
    close: () => limiter.close(),
    [Symbol.asyncDispose]: () => limiter.close(),
  }
  return asRunner(run as Runner, members)
}
