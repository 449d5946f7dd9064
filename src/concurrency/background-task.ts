import type { Timer } from '../contracts/clock.ts'
import { Deferred } from '../kernel/deferred.ts'
import { type Duration, kindOf, toMs } from '../kernel/duration.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { checkBoolean, checkOptionNames, invalidOption } from '../kernel/options.ts'

/** What is handed to `run()` with a task. */
export interface TaskOptions {
  /** What the task is about, for `onError`, the events and `dedupe`. */
  key?: string
  /**
   * Joins the task with the same `key` that has not ended yet, instead of starting another: this one
   * is then not run. @default false
   */
  dedupe?: boolean
  /**
   * Starts it so much later. A drain that begins meanwhile starts it at once; one that goes on already
   * waits for it, until the deadline. @default 0
   */
  delay?: Duration
}

/** What `run()` gives back at once. */
export interface TaskHandle<T> {
  /**
   * What the task makes, or how it fails: ERR_BULKHEAD_FULL where it was refused, ERR_ABORTED where it
   * was cancelled, ERR_CLOSED after the end. Nobody has to look at it: it is never an unhandled
   * rejection.
   */
  readonly done: Promise<T>
  /**
   * Gives it up: `done` rejects with ERR_ABORTED at once. A task that waits is not run, one that runs
   * sees its signal abort; one that others have joined goes on for them.
   *
   * @returns whether it had not ended yet.
   */
  cancel(): boolean
}

/** A task, as listeners and `onError` see it. */
export interface TaskInfo {
  /** Of the `background()`. */
  readonly name: string
  readonly key: string | undefined
  /** From `run()` to its start, without `delay`; 0 where it never started. */
  readonly waitedMs: number
  /** 0 where it never started. */
  readonly ranMs: number
}

export type TaskFunction<T> = (signal: AbortSignal) => PromiseLike<T> | T

type State = 'delayed' | 'waiting' | 'running' | 'ended'

/** Restores the async context in which it was made. */
export type InContext = (run: () => void) => void

/** One task from `run()` to its end, with all who have joined it. */
export class Task {
  readonly run: TaskFunction<unknown>
  readonly key: string | undefined
  readonly inContext: InContext
  state: State = 'waiting'
  /** When it could have started, then when it did. */
  waitingSince = 0
  startedAt = 0
  /** Of its delay. */
  timer: Timer
  /** Its neighbours in the queue. */
  before: Task | undefined
  after: Task | undefined
  #controller: AbortController | undefined
  readonly #waiters = new Set<Deferred<unknown>>()

  constructor(run: TaskFunction<unknown>, key: string | undefined, inContext: InContext) {
    this.run = run
    this.key = key
    this.inContext = inContext
  }

  /** Only for what runs: a task that waits has nobody to tell. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  join<T>(leave: () => void): TaskHandle<T> {
    const waiter = new Deferred<T>()
    this.#waiters.add(waiter as Deferred<unknown>)
    const cancel = (): boolean => {
      if (this.state === 'ended' || !this.#waiters.delete(waiter as Deferred<unknown>)) return false
      waiter.reject(aborted('the task was cancelled'))
      if (this.#waiters.size === 0) leave()
      return true
    }
    return {
      get done() {
        return waiter.promise
      },
      cancel,
    }
  }

  resolve(value: unknown): void {
    for (const waiter of this.#waiters) waiter.resolve(value)
    this.#waiters.clear()
  }

  reject(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#waiters.clear()
  }

  info(name: string, now: number): TaskInfo {
    const hasRun = this.state === 'running'
    return {
      name,
      key: this.key,
      waitedMs: hasRun ? this.startedAt - this.waitingSince : 0,
      ranMs: hasRun ? now - this.startedAt : 0,
    }
  }

  abort(reason: ResilienceError): void {
    this.#controller?.abort(reason)
  }
}

/**
 * @returns the delay in milliseconds
 * @throws ERR_INVALID_OPTION
 */
export function checkTaskOptions(options: TaskOptions): number {
  checkOptionNames(options as unknown, ['key', 'dedupe', 'delay'], 'run()')
  const { key, dedupe, delay = 0 } = options
  if (key !== undefined && typeof key !== 'string') {
    throw invalidOption(`key must be text, got ${kindOf(key)}`)
  }
  checkBoolean(dedupe, 'dedupe')
  if (dedupe && key === undefined) throw invalidOption('dedupe needs a key to tell tasks apart')
  return toMs(delay, 'delay')
}

export function aborted(what: string): ResilienceError {
  return new ResilienceError('ERR_ABORTED', what)
}
