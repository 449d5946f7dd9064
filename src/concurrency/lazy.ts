import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../contracts/clock.ts'
import { kindOf } from '../kernel/duration.ts'
import { Events } from '../kernel/events.ts'
import { checkBoolean, checkOptionNames, invalidOption } from '../kernel/options.ts'
import { realClock } from '../kernel/real-clock.ts'
import { whenIdle } from './lazy-idle.ts'
import { waitFor } from './lazy-wait.ts'

/** Options of {@link lazy}. */
export interface LazyOptions {
  /** For metrics and messages. @default 'lazy' */
  name?: string
  clock?: Clock
}

export interface LazyStats {
  /** 1 once it is there. */
  readonly loads: number
  readonly failures: number
  /** How long the load that succeeded took; `undefined` before that. */
  readonly loadMs: number | undefined
}

export interface LazyEvents {
  load: { readonly name: string; readonly loadMs: number }
  error: { readonly name: string; readonly error: unknown }
}

/** What {@link lazy} returns. */
export interface Lazy<T> {
  readonly name: string
  /**
   * The value. Concurrent callers share one load; a load that failed rejects those who waited for it,
   * and the next call tries again.
   * @throws ERR_ABORTED when `signal` aborts the wait; the load goes on for the others.
   */
  get(options?: { signal?: AbortSignal }): Promise<T>
  /** The value if it is there, else `undefined`. Loads nothing. */
  peek(): T | undefined
  /**
   * Begins the load without waiting for it; a failure is told by the event `error`, and by the next
   * `get()`, which tries again. `idle: true` waits until the event loop has nothing else to do.
   */
  preload(options?: { idle?: boolean }): void
  /** @returns a function that stops listening. */
  on<N extends keyof LazyEvents>(event: N, listener: (event: LazyEvents[N]) => unknown): () => void
  stats(): LazyStats
}

/**
 * Something that is loaded when it is first needed, once: a heavy module, a model, a compiled schema.
 *
 * ```ts
 * const pdf = lazy(() => import('pdfkit'))
 * const { default: PDFDocument } = await pdf.get()
 * ```
 *
 * The load belongs to nobody's request: it runs in the async context in which `lazy()` was called.
 *
 * @throws ERR_INVALID_OPTION for anything but a function, and for unknown options.
 */
export function lazy<T>(load: () => PromiseLike<T> | T, options: LazyOptions = {}): Lazy<T> {
  if (typeof load !== 'function') {
    throw invalidOption(`lazy() takes a function such as () => import('x'), got ${kindOf(load)}`)
  }
  checkOptionNames(options as unknown, ['name', 'clock'], 'lazy()')
  const { name = 'lazy', clock = realClock } = options
  if (typeof name !== 'string') throw invalidOption(`name must be text, got ${kindOf(name)}`)
  return new Loaded(load, name, clock)
}

class Loaded<T> implements Lazy<T> {
  readonly name: string
  readonly #load: () => PromiseLike<T> | T
  readonly #clock: Clock
  readonly #events = new Events<LazyEvents>()
  readonly #inContext = AsyncLocalStorage.snapshot()
  #promise: Promise<T> | undefined
  #found: { readonly value: T } | undefined
  #isPreloading = false
  #failures = 0
  #loadMs: number | undefined

  constructor(load: () => PromiseLike<T> | T, name: string, clock: Clock) {
    this.#load = load
    this.name = name
    this.#clock = clock
  }

  get(options?: { signal?: AbortSignal }): Promise<T> {
    this.#promise ??= this.#begin()
    return waitFor(this.#promise, options?.signal, `lazy '${this.name}'`)
  }

  peek(): T | undefined {
    return this.#found?.value
  }

  preload(options: { idle?: boolean } = {}): void {
    checkOptionNames(options as unknown, ['idle'], 'preload()')
    checkBoolean(options.idle, 'idle')
    if (this.#promise !== undefined) return
    if (!options.idle) {
      this.get().catch(() => {})
      return
    }
    if (this.#isPreloading) return
    this.#isPreloading = true
    whenIdle(this.#clock, () => {
      this.#isPreloading = false
      this.get().catch(() => {})
    })
  }

  on<N extends keyof LazyEvents>(
    event: N,
    listener: (event: LazyEvents[N]) => unknown,
  ): () => void {
    return this.#events.on(event, listener)
  }

  stats(): LazyStats {
    return { loads: this.#found ? 1 : 0, failures: this.#failures, loadMs: this.#loadMs }
  }

  #begin(): Promise<T> {
    const promise = this.#inContext(() => this.#run())
    // Before anybody hears of it, so that whoever tries again at once begins a new load.
    promise.catch((error: unknown) => {
      this.#promise = undefined
      this.#failures++
      this.#events.emit('error', { name: this.name, error })
    })
    return promise
  }

  async #run(): Promise<T> {
    const startedAt = this.#clock.now()
    const value = await this.#load()
    this.#found = { value }
    this.#loadMs = this.#clock.now() - startedAt
    this.#events.emit('load', { name: this.name, loadMs: this.#loadMs })
    return value
  }
}
