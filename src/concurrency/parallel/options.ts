import type { Clock } from '../../contracts/clock.ts'
import type { ForeignLimiter, Runner } from '../../contracts/runner.ts'
import { type Duration, kindOf, toMs } from '../../kernel/duration.ts'
import { Events } from '../../kernel/events.ts'
import {
  checkChoice,
  checkCount,
  checkFunction,
  checkOptionNames,
  invalidOption,
} from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'

/** One task has ended, well or not. */
export interface Progress {
  /** Tasks that have ended. */
  readonly done: number
  /** Tasks in all; of an iterable without a length, those that were read so far. */
  readonly total: number
  /** Of the task: its name, or its index. */
  readonly key: PropertyKey
  /** From its start to its end; 0 where it never started. */
  readonly ms: number
}

/** Options of `parallel` and its kin. */
export interface ParallelOptions {
  /** Stands in the messages of errors. */
  name?: string
  /**
   * Tasks of this call that run at the same time.
   * @default all of them; 16 where `parallel.map` reads an async iterable
   */
  concurrency?: number
  /** A limit that this call shares with others: any Runner, or a limiter such as `pLimit(5)`. */
  limit?: Runner | ForeignLimiter
  /** Ends the call with `ERR_ABORTED` and aborts its tasks. */
  signal?: AbortSignal
  /** For the whole call: what is unfinished then ends with `ERR_TIMEOUT`. @default none */
  timeout?: Duration
  /** For each task, from its own start. @default none */
  taskTimeout?: Duration
  /**
   * `'settled'`: the call ends when nothing of it runs any more, even after a failure.
   * @default 'first-error': a failure ends it at once
   */
  await?: 'first-error' | 'settled'
  /** Called as each task ends. What it throws becomes a process warning. */
  onProgress?: (progress: Progress) => void
  /** @default real time */
  clock?: Clock
}

/** The same, checked and with its defaults. */
export interface Settings {
  /** What error messages call this call. */
  readonly label: string
  readonly concurrency: number | undefined
  readonly limit: Runner | ForeignLimiter | undefined
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  readonly taskTimeoutMs: number
  readonly waitsForAll: boolean
  readonly events: Events<{ progress: Progress }>
  readonly clock: Clock
}

const NAMES = [
  'name',
  'concurrency',
  'limit',
  'signal',
  'timeout',
  'taskTimeout',
  'await',
  'onProgress',
  'clock',
]

const NO_OPTIONS: ParallelOptions = {}

/** @throws ERR_INVALID_OPTION */
export function resolveOptions(options: unknown, where: string): Settings {
  const given = (options ?? NO_OPTIONS) as ParallelOptions
  check(given, where)
  const { name, concurrency, limit, signal, timeout, taskTimeout, onProgress } = given
  const events = new Events<{ progress: Progress }>()
  if (onProgress) events.on('progress', onProgress)
  return {
    label: name === undefined ? where : `${where} '${name}'`,
    concurrency,
    limit,
    signal,
    timeoutMs: timeout === undefined ? Number.POSITIVE_INFINITY : toMs(timeout, 'timeout'),
    taskTimeoutMs:
      taskTimeout === undefined ? Number.POSITIVE_INFINITY : toMs(taskTimeout, 'taskTimeout'),
    waitsForAll: given.await === 'settled',
    events,
    clock: given.clock ?? realClock,
  }
}

function check(given: ParallelOptions, where: string): void {
  // Most calls have none, and nothing is checked then.
  if (given === NO_OPTIONS) return
  checkOptionNames(given, NAMES, where)
  const { name, signal } = given as { name?: unknown; signal?: unknown }
  if (name !== undefined && typeof name !== 'string') {
    throw invalidOption(`name must be text, got ${kindOf(name)}`)
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidOption(`signal must be an AbortSignal, got ${kindOf(signal)}`)
  }
  checkCount(given.concurrency, 'concurrency')
  checkChoice(given.await, ['first-error', 'settled'], 'await')
  checkFunction(given.onProgress, 'onProgress')
  if (given.limit !== undefined && typeof given.limit !== 'function') {
    throw invalidOption(
      `limit must be a Runner such as semaphore(5), or a limiter such as pLimit(5), got ${kindOf(given.limit)}`,
    )
  }
}
