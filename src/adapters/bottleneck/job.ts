import { AsyncLocalStorage } from 'node:async_hooks'
import type { RunOptions } from '../../contracts/runner.ts'
import { ResilienceError } from '../../kernel/errors.ts'

type State = 'waiting' | 'running' | 'ended'

/** What a limiter does with its jobs. */
export interface JobListener {
  /** It waits no longer. */
  left(job: Job): void
  ended(job: Job): void
}

/**
 * One call, of which there may be a copy in each of two limiters. Whichever gets its turn first claims
 * it; for the other there is nothing left to do.
 */
export class Job {
  readonly weight: number
  /** Of bottleneck: 0 is first, 9 last. */
  readonly priority: number
  readonly promise: Promise<unknown>
  state: State = 'waiting'
  /** There is a copy of it in the local limiter. */
  isLocal = false
  readonly #task: (signal: AbortSignal) => unknown
  readonly #listener: JobListener
  readonly #signal: AbortSignal | undefined
  readonly #inContext = AsyncLocalStorage.snapshot()
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void

  constructor(
    task: (signal: AbortSignal) => unknown,
    options: RunOptions | undefined,
    listener: JobListener,
  ) {
    this.#task = task
    this.#listener = listener
    this.#signal = options?.signal
    this.weight = options?.weight ?? 1
    this.priority = Math.min(9, Math.max(0, 5 - Math.round(options?.priority ?? 0)))
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (this.#signal?.aborted) this.#onAbort()
  }

  /**
   * Its turn: runs the task, unless that has happened or nobody waits for it any more.
   * @returns when the place is free again. Never rejects: how the task ends is the caller's matter, and
   *   must not wait until a dead store has heard of it.
   */
  async claim(): Promise<void> {
    if (this.state !== 'waiting') return
    this.#leave('running')
    try {
      this.#resolve(await this.#inContext(() => this.#task(this.#taskSignal)))
    } catch (error) {
      this.#reject(error)
    }
    this.state = 'ended'
    this.#listener.ended(this)
  }

  /** It never runs. */
  refuse(error: unknown): void {
    if (this.state !== 'waiting') return
    this.#leave('ended')
    this.#reject(error)
  }

  get #taskSignal(): AbortSignal {
    return this.#signal ?? new AbortController().signal
  }

  readonly #onAbort = (): void => {
    const message = "the caller's signal aborted before the limiter had a place"
    this.refuse(new ResilienceError('ERR_ABORTED', message, { cause: this.#signal?.reason }))
  }

  #leave(state: State): void {
    this.state = state
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#listener.left(this)
  }
}
