import type { Duration } from '../kernel/duration.ts'
import type { DrainResult } from './background-drain.ts'
import type { TaskFunction, TaskHandle, TaskInfo, TaskOptions } from './background-task.ts'

export interface BackgroundEvents {
  start: TaskInfo
  /** It has ended, well or not. */
  end: TaskInfo
  /** Whatever `onError` is told of. */
  error: { readonly error: unknown; readonly task: TaskInfo }
  /** Refused or pushed out because the queue is full. */
  drop: TaskInfo
  drain: DrainResult
}

export interface BackgroundStats {
  /** Waiting for a place, or for the end of their delay. */
  readonly waiting: number
  /** Running now, with the promises of `waitUntil`. */
  readonly running: number
  readonly completed: number
  readonly failed: number
  /** Refused or pushed out because the queue was full. */
  readonly dropped: number
  /** Given up by `cancel()`. */
  readonly cancelled: number
  /** Given up by a drain at its deadline. */
  readonly aborted: number
  /** Calls of `run` that joined a task that was there. */
  readonly joined: number
}

/** What {@link background} returns. */
export interface Background extends AsyncDisposable {
  readonly name: string
  /** Tasks and promises that have not ended, waiting and running together. */
  readonly depth: number
  /** How long the first in line has been waiting for a place, in milliseconds; 0 when none does. */
  readonly oldestAgeMs: number
  /**
   * Takes a task and returns at once; it starts after what has already arrived in this turn of the
   * event loop, in the async context of the caller. Never throws for a full queue: `done` rejects.
   *
   * @throws ERR_INVALID_OPTION for wrong options
   */
  run<T>(task: TaskFunction<T>, options?: TaskOptions): TaskHandle<T>
  /** Follows work that has already begun: counted, drained, its failure reported. */
  waitUntil(promise: PromiseLike<unknown>): void
  /**
   * Waits until nothing is left, also of what comes meanwhile; tasks that are delayed now start at
   * once, later ones keep their delay. At the deadline the rest is aborted and this wait is over; a
   * task that ignores its signal holds its place until it ends. More may be handed in afterwards.
   *
   * @throws ERR_ABORTED when `signal` aborts the wait: the tasks go on.
   */
  drain(options?: { deadline?: Duration; signal?: AbortSignal }): Promise<DrainResult>
  /** @returns a function that stops listening. */
  on<N extends keyof BackgroundEvents>(
    event: N,
    listener: (event: BackgroundEvents[N]) => unknown,
  ): () => void
  stats(): BackgroundStats
  /** Takes no more tasks (`done` rejects with ERR_CLOSED), and drains. */
  [Symbol.asyncDispose](): Promise<void>
}
