import { AsyncLocalStorage } from 'node:async_hooks'
import { runUnder } from '../contracts/runner.ts'
import { type Duration, kindOf, toMs } from '../kernel/duration.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { Events } from '../kernel/events.ts'
import { checkOptionNames, invalidOption } from '../kernel/options.ts'
import { PassingMap, PassingSet } from '../kernel/passing-map.ts'
import { type DrainResult, IdleWaiters } from './background-drain.ts'
import { Failures } from './background-failures.ts'
import type { BackgroundSettings } from './background-options.ts'
import { TaskQueue } from './background-queue.ts'
import { onSignals } from './background-signals.ts'
import type { Background, BackgroundEvents, BackgroundStats } from './background-surface.ts'
import {
  aborted,
  checkTaskOptions,
  type InContext,
  Task,
  type TaskFunction,
  type TaskHandle,
  type TaskInfo,
  type TaskOptions,
} from './background-task.ts'

/** Starting tasks may hold up the event loop so long; then whatever has arrived gets its turn. */
const SLICE_MS = 2

/** See `background()`. Longer than most: everything here moves a task between the same few places. */
export class BackgroundTasks implements Background {
  readonly name: string
  readonly #settings: BackgroundSettings
  readonly #events = new Events<BackgroundEvents>()
  readonly #queue = new TaskQueue()
  readonly #delayed = new PassingSet<Task>()
  readonly #running = new PassingSet<Task>()
  /** Those of `dedupe`, by their keys. */
  readonly #byKey = new PassingMap<string, Task>()
  readonly #idle = new IdleWaiters()
  readonly #failures: Failures
  readonly #stopListening: () => void
  readonly #pump = (): void => this.#startSome()
  #isPumping = false
  #isClosed = false
  /** Promises of `waitUntil`. */
  readonly #followed = new PassingSet<object>()
  #completed = 0
  #failed = 0
  #dropped = 0
  #cancelled = 0
  #aborted = 0
  #joined = 0

  constructor(settings: BackgroundSettings) {
    this.name = settings.name
    this.#settings = settings
    this.#failures = new Failures(settings.name, settings.onError)
    this.#stopListening = onSignals(settings.drainOn, () => this.drain())
  }

  get depth(): number {
    return this.#waiting + this.#running.size + this.#followed.size
  }

  get oldestAgeMs(): number {
    const first = this.#queue.first
    return first ? this.#settings.clock.now() - first.waitingSince : 0
  }

  run<T>(run: TaskFunction<T>, options?: TaskOptions): TaskHandle<T> {
    if (typeof run !== 'function') {
      throw invalidOption(
        `run() takes a function, got ${kindOf(run)}; what has begun already goes to waitUntil()`,
      )
    }
    const delayMs = options ? checkTaskOptions(options) : 0
    const key = options?.key
    const shared = options?.dedupe ? this.#byKey.get(key as string) : undefined
    if (shared) {
      this.#joined++
      return this.#join(shared)
    }
    const task = new Task(run, key, AsyncLocalStorage.snapshot() as InContext)
    const handle = this.#join<T>(task)
    if (options?.dedupe) this.#byKey.set(key as string, task)
    this.#place(task, delayMs)
    return handle
  }

  waitUntil(promise: PromiseLike<unknown>): void {
    const startedAt = this.#settings.clock.now()
    const info = (): TaskInfo => {
      const ranMs = this.#settings.clock.now() - startedAt
      return { name: this.name, key: undefined, waitedMs: 0, ranMs }
    }
    const one = {}
    this.#followed.add(one)
    // Not `promise.then`: a thenable may call back twice, or throw.
    Promise.resolve(promise).then(
      () => {
        if (this.#followed.delete(one)) this.#completed++
        this.#wakeIfIdle()
      },
      (error: unknown) => {
        // What a drain has given up counts as that, but nobody has been told of its failure.
        if (this.#followed.delete(one)) this.#failed++
        this.#report(error, info())
        this.#wakeIfIdle()
      },
    )
  }

  async drain(options: { deadline?: Duration; signal?: AbortSignal } = {}): Promise<DrainResult> {
    checkOptionNames(options as unknown, ['deadline', 'signal'], 'drain()')
    const { clock, drainDeadlineMs } = this.#settings
    const { deadline = drainDeadlineMs, signal } = options
    const deadlineMs = toMs(deadline, 'deadline')
    const before = this.#completed + this.#failed
    for (const task of [...this.#delayed]) this.#due(task)
    const isIdle = this.depth === 0 || (await this.#idle.wait(clock, deadlineMs, signal))
    const done = this.#completed + this.#failed - before
    const result = { done, aborted: isIdle ? 0 : this.#abortAll() }
    this.#events.emit('drain', result)
    return result
  }

  on<N extends keyof BackgroundEvents>(
    event: N,
    listener: (event: BackgroundEvents[N]) => unknown,
  ): () => void {
    return this.#events.on(event, listener)
  }

  stats(): BackgroundStats {
    return {
      waiting: this.#waiting,
      running: this.#running.size + this.#followed.size,
      completed: this.#completed,
      failed: this.#failed,
      dropped: this.#dropped,
      cancelled: this.#cancelled,
      aborted: this.#aborted,
      joined: this.#joined,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await this.drain()
    this.#stopListening()
  }

  get #waiting(): number {
    return this.#queue.size + this.#delayed.size
  }

  #join<T>(task: Task): TaskHandle<T> {
    return task.join<T>(() => this.#cancel(task))
  }

  #place(task: Task, delayMs: number): void {
    if (this.#isClosed) {
      const closed = `background '${this.name}' is closed: hand in tasks before its end`
      this.#refuse(task, new ResilienceError('ERR_CLOSED', closed))
      return
    }
    const { concurrency, maxWaiting, overflow } = this.#settings
    if (this.#waiting + this.#running.size >= concurrency + maxWaiting) {
      const oldest = this.#queue.first ?? this.#delayed[Symbol.iterator]().next().value
      if (overflow === 'run-inline') {
        task.waitingSince = this.#settings.clock.now()
        this.#start(task)
        return
      }
      if (overflow === 'reject' || !oldest) {
        this.#drop(task)
        return
      }
      this.#takeOut(oldest)
      this.#drop(oldest)
    }
    if (delayMs > 0) this.#delay(task, delayMs)
    else this.#enqueue(task)
  }

  #delay(task: Task, delayMs: number): void {
    task.state = 'delayed'
    this.#delayed.add(task)
    // Keeps the process alive: work that was handed in is not forgotten without a word.
    task.timer = this.#settings.clock.setTimeout(() => this.#due(task), delayMs)
  }

  #due(task: Task): void {
    this.#takeOut(task)
    this.#enqueue(task)
  }

  #enqueue(task: Task): void {
    task.state = 'waiting'
    task.waitingSince = this.#settings.clock.now()
    this.#queue.push(task)
    this.#pumpSoon()
  }

  /** Of the delayed or the waiting ones. */
  #takeOut(task: Task): void {
    if (task.state === 'waiting') {
      this.#queue.remove(task)
    } else if (task.state === 'delayed') {
      this.#delayed.delete(task)
      this.#settings.clock.clearTimeout(task.timer)
    }
  }

  #pumpSoon(): void {
    if (this.#isPumping || this.#running.size >= this.#settings.concurrency) return
    this.#isPumping = true
    this.#settings.clock.immediate(this.#pump)
  }

  #startSome(): void {
    this.#isPumping = false
    const { clock, concurrency } = this.#settings
    const startedAt = clock.now()
    for (let task = this.#queue.first; task; task = this.#queue.first) {
      if (this.#running.size >= concurrency) return
      if (clock.now() - startedAt >= SLICE_MS) {
        this.#pumpSoon()
        return
      }
      this.#queue.remove(task)
      this.#start(task)
    }
  }

  #start(task: Task): void {
    const now = this.#settings.clock.now()
    task.startedAt = now
    task.state = 'running'
    this.#running.add(task)
    task.inContext(() => {
      if (this.#events.has('start')) this.#events.emit('start', this.#infoOf(task))
      // A listener may have cancelled it.
      if (task.state === 'running') void this.#execute(task)
      else this.#ended(task, undefined, undefined)
    })
  }

  async #execute(task: Task): Promise<void> {
    const { guard } = this.#settings
    const { signal } = task
    try {
      // What a limiter has kept until after a cancel is not begun any more.
      const value = guard
        ? await runUnder(
            guard,
            (inner) => {
              signal.throwIfAborted()
              return task.run(inner)
            },
            () => signal,
          )
        : await task.run(signal)
      this.#ended(task, undefined, value)
    } catch (error) {
      this.#ended(task, { error }, undefined)
    }
  }

  /** A task that has run to its end; what was cancelled or aborted frees its place only now. */
  #ended(task: Task, failure: { readonly error: unknown } | undefined, value: unknown): void {
    this.#running.delete(task)
    if (task.state === 'running') {
      const info = this.#infoOf(task)
      this.#forget(task)
      if (failure) {
        this.#failed++
        task.reject(failure.error)
        this.#report(failure.error, info)
      } else {
        this.#completed++
        task.resolve(value)
      }
      this.#events.emit('end', info)
    }
    this.#pumpSoon()
    this.#wakeIfIdle()
  }

  #cancel(task: Task): void {
    this.#cancelled++
    this.#giveUp(task, aborted(`a task of background '${this.name}' was cancelled`))
    this.#wakeIfIdle()
  }

  #giveUp(task: Task, reason: ResilienceError): void {
    this.#takeOut(task)
    this.#forget(task)
    task.reject(reason)
    task.abort(reason)
  }

  #abortAll(): number {
    const reason = aborted(`background '${this.name}' was drained, and the deadline has passed`)
    const before = this.#aborted
    const left = [...this.#running].filter(({ state }) => state === 'running')
    for (let task = this.#queue.first; task; task = task.after) left.push(task)
    for (const task of [...left, ...this.#delayed]) {
      // One that was told of the others may have cancelled this.
      if (task.state === 'ended') continue
      const info = this.#infoOf(task)
      this.#aborted++
      this.#giveUp(task, reason)
      task.inContext(() => this.#report(reason, info))
    }
    // Nothing can stop these; they are merely not waited for.
    this.#aborted += this.#followed.size
    for (const one of [...this.#followed]) this.#followed.delete(one)
    this.#wakeIfIdle()
    return this.#aborted - before
  }

  #drop(task: Task): void {
    this.#dropped++
    // First: a listener that cancels it must not take it out of the queue again.
    this.#forget(task)
    if (this.#events.has('drop')) this.#events.emit('drop', this.#infoOf(task))
    const { concurrency, maxWaiting } = this.#settings
    const message =
      `background '${this.name}' is full: ${concurrency} may run and ${maxWaiting} wait; ` +
      'raise concurrency or queue.max, or hand in less'
    this.#refuse(task, new ResilienceError('ERR_BULKHEAD_FULL', message))
  }

  #refuse(task: Task, error: ResilienceError): void {
    const info = this.#infoOf(task)
    this.#forget(task)
    task.reject(error)
    task.inContext(() => this.#report(error, info))
  }

  #forget(task: Task): void {
    task.state = 'ended'
    if (task.key !== undefined && this.#byKey.get(task.key) === task) this.#byKey.delete(task.key)
  }

  #report(error: unknown, task: TaskInfo): void {
    if (this.#events.has('error')) this.#events.emit('error', { error, task })
    this.#failures.report(error, task)
  }

  #wakeIfIdle(): void {
    if (this.depth === 0) this.#idle.wake()
  }

  #infoOf(task: Task): TaskInfo {
    return task.info(this.name, this.#settings.clock.now())
  }
}
