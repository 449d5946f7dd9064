import type { Clock } from '../contracts/clock.ts'
import type { ForeignLimiter, Runner } from '../contracts/runner.ts'
import { type Duration, kindOf, shown, toMs } from '../kernel/duration.ts'
import {
  checkChoice,
  checkCount,
  checkFunction,
  checkOptionNames,
  invalidOption,
} from '../kernel/options.ts'
import { realClock } from '../kernel/real-clock.ts'
import type { TaskInfo } from './background-task.ts'

/** What happens to a task that finds no place. */
export type Overflow = 'reject' | 'drop-oldest' | 'run-inline'

/** Options of {@link background}. */
export interface BackgroundOptions {
  /** For metrics and messages. @default 'background' */
  name?: string
  /** Tasks that run at the same time. @default 10 */
  concurrency?: number
  queue?: {
    /** Tasks that wait beside those that run, delayed ones included. @default 1000 */
    max?: number
    /**
     * - `'reject'`: the new task is refused with ERR_BULKHEAD_FULL.
     * - `'drop-oldest'`: the one that has waited longest is, and the new one takes its place.
     * - `'run-inline'`: the new one starts at once, beyond `concurrency`: its caller is slowed down by
     *   what it does before its first `await`. So does one with a `delay`.
     *
     * @default 'reject'
     */
    overflow?: Overflow
  }
  /** Every task runs under it: a breaker, a limiter, a retry, a whole guard, or a `pLimit(5)`. */
  guard?: Runner | ForeignLimiter
  /**
   * Told of every failure, refusal and task that `drain` aborted; not of `cancel()`. Runs in the async
   * context of the task's caller. Without it the first failure is a process warning.
   */
  onError?: (error: unknown, task: TaskInfo) => void
  /**
   * On these signals the tasks are drained. If nobody else listens to the signal, the process then
   * ends by it, as it would have without this; so does process 1 of a container. @default false
   */
  drainOn?: readonly NodeJS.Signals[] | false
  /** How long a drain may take before the rest is aborted. @default '10s' */
  drainDeadline?: Duration
  clock?: Clock
}

export interface BackgroundSettings {
  readonly name: string
  readonly concurrency: number
  readonly maxWaiting: number
  readonly overflow: Overflow
  readonly guard: Runner | ForeignLimiter | undefined
  readonly onError: ((error: unknown, task: TaskInfo) => void) | undefined
  readonly drainOn: readonly NodeJS.Signals[]
  readonly drainDeadlineMs: number
  readonly clock: Clock
}

const NAMES = [
  ...['name', 'concurrency', 'queue', 'guard', 'onError', 'drainOn', 'drainDeadline', 'clock'],
]

/** @throws ERR_INVALID_OPTION that names the option and what it takes. */
export function backgroundSettings(options: BackgroundOptions): BackgroundSettings {
  checkOptionNames(options as unknown, NAMES, 'background()')
  const { name = 'background', concurrency = 10, queue = {}, guard, onError } = options
  const { drainOn = false, drainDeadline = '10s', clock = realClock } = options
  if (typeof name !== 'string') throw invalidOption(`name must be text, got ${kindOf(name)}`)
  checkCount(concurrency, 'concurrency')
  checkOptionNames(queue as unknown, ['max', 'overflow'], 'queue')
  checkChoice(queue.overflow, ['reject', 'drop-oldest', 'run-inline'], 'queue.overflow')
  checkFunction(guard, 'guard')
  checkFunction(onError, 'onError')
  return {
    name,
    concurrency,
    maxWaiting: maxWaiting(queue.max),
    overflow: queue.overflow ?? 'reject',
    guard,
    onError,
    drainOn: signals(drainOn),
    drainDeadlineMs: toMs(drainDeadline, 'drainDeadline'),
    clock,
  }
}

function maxWaiting(max: unknown = 1000): number {
  if (typeof max === 'number' && max >= 0 && (Number.isInteger(max) || max === Infinity)) return max
  throw invalidOption(`queue.max must be a whole number ≥ 0, got ${shown(max)}`)
}

function signals(drainOn: unknown): readonly NodeJS.Signals[] {
  if (drainOn === false) return []
  if (Array.isArray(drainOn) && drainOn.every((one) => typeof one === 'string')) {
    return drainOn as readonly NodeJS.Signals[]
  }
  throw invalidOption(
    `drainOn must be false or an array of signals such as ['SIGTERM'], got ${shown(drainOn)}`,
  )
}
