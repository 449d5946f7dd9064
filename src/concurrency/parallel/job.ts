import type { Timer } from '../../contracts/clock.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import { isThenable } from '../../kernel/thenable.ts'
import type { Call, CallJob } from './call.ts'

/** What to make of a failure. */
export type Recover = (error: unknown) => unknown

/** How a job comes to its turn. */
export interface Way {
  /** Calls `begin` with a signal when it is its turn, and gives what comes of that. */
  pass(begin: (signal: AbortSignal) => unknown, signal: AbortSignal): unknown
  /** It calls `begin` once at most, so that a task's failure is that of the job. */
  readonly once: boolean
}

/** Who hands jobs over, and hears of what becomes of them. */
export interface Handing {
  /** It has its turn. */
  started(job: Job): void
  /** It has given its place back. */
  freed(job: Job): void
}

/** One task of a call, from its turn to its end. */
export abstract class Job implements CallJob {
  readonly call: Call
  readonly index: number
  /** Under which its progress is reported. */
  readonly key: PropertyKey
  readonly #timeoutMs: number
  #recover: Recover | undefined
  /** A fallback that takes its time has the second state. */
  #state: 'open' | 'recovering' | 'over' = 'open'
  #hasBegun = false
  #handing: Handing | undefined
  #once = false
  #own: AbortController | undefined
  #timer: Timer
  #startedAt = 0

  constructor(
    call: Call,
    index: number,
    key: PropertyKey,
    timeoutMs: number = call.settings.taskTimeoutMs,
    recover?: Recover,
  ) {
    this.call = call
    this.index = index
    this.key = key
    this.#timeoutMs = timeoutMs
    this.#recover = recover
  }

  protected abstract run(signal: AbortSignal): unknown

  get isOver(): boolean {
    return this.#state === 'over'
  }

  get ranForMs(): number {
    return this.#hasBegun ? this.call.settings.clock.now() - this.#startedAt : 0
  }

  /**
   * Asks for its turn, and takes it.
   * @returns what settles when it has given its place back, unless it has already
   */
  submit(way: Way | undefined, handing?: Handing): PromiseLike<void> | undefined {
    this.#handing = handing
    this.#once = way?.once ?? false
    if (this.#timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#own = new AbortController()
      this.call.guide(this)
    }
    const signal = this.#own?.signal ?? this.call.signal
    try {
      const outcome = way ? way.pass(this.#begin, signal) : this.#begin(signal)
      if (isThenable(outcome)) {
        return Promise.resolve(outcome).then(this.#fulfilled, this.#rejected)
      }
      this.#fulfilled(outcome)
    } catch (error) {
      this.#rejected(error)
    }
    return undefined
  }

  expire(error: unknown): void {
    if (this.#state !== 'over') this.#fail(error)
  }

  abandon(error: unknown): void {
    this.#recover = undefined
    this.expire(error)
  }

  stop(reason: unknown): void {
    this.#clearTimer()
    this.#own?.abort(reason)
  }

  readonly #begin = (signal: AbortSignal): unknown => {
    const { call } = this
    this.#handing?.started(this)
    if (call.over || this.#state !== 'open') return undefined
    // A limiter that retries comes here several times; all its attempts are one run.
    if (!this.#hasBegun) {
      this.#hasBegun = true
      call.begun()
      this.#startClocks()
    }
    return this.#once ? this.#runOnce(signal) : this.run(signal)
  }

  /** A limit lets the next one in before it tells of a failure; by then nothing is to start any more. */
  #runOnce(signal: AbortSignal): unknown {
    const failed = (error: unknown): void => {
      if (this.#state === 'open') this.#fail(error)
    }
    try {
      const outcome = this.run(signal)
      if (!isThenable(outcome)) return outcome
      // Some thenables, such as queries, begin anew with each `then`: they are asked once.
      const promise = Promise.resolve(outcome)
      void promise.then(undefined, failed)
      return promise
    } catch (error) {
      failed(error)
      throw error
    }
  }

  #startClocks(): void {
    const { clock, events } = this.call.settings
    if (events.has('progress')) this.#startedAt = clock.now()
    if (this.#own) this.#timer = clock.setTimeout(() => this.#timeOut(), this.#timeoutMs)
  }

  #timeOut(): void {
    if (this.#state !== 'open') return
    const error = new ResilienceError(
      'ERR_TIMEOUT',
      `task ${this.index + 1} of ${this.call.settings.label} took longer than ${this.#timeoutMs} ms; raise its timeout, or give it a fallback`,
    )
    this.#fail(error)
    this.#own?.abort(error)
  }

  readonly #fulfilled = (value: unknown): void => {
    if (this.#state === 'open') this.#succeed(value)
    this.#cease()
  }

  readonly #rejected = (error: unknown): void => {
    if (this.#state === 'open') this.#fail(error)
    this.#cease()
  }

  #cease(): void {
    if (this.#hasBegun) this.call.ceased()
    this.#handing?.freed(this)
  }

  #succeed(value: unknown): void {
    this.#end()
    if (!this.call.over) this.call.succeeded(this, value)
  }

  #fail(error: unknown): void {
    const { call } = this
    const recover = this.#recover
    if (recover === undefined || call.over) {
      this.#end()
      if (call.over) call.late(error)
      else call.failed(this, error)
      return
    }
    this.#state = 'recovering'
    this.#recover = undefined
    this.#clearTimer()
    try {
      const value = recover(error)
      if (isThenable(value)) this.#await(value)
      else this.#succeed(value)
    } catch (worse) {
      this.#fail(worse)
    }
  }

  #await(rescue: PromiseLike<unknown>): void {
    void rescue.then(
      (value) => {
        if (this.#state === 'recovering') this.#succeed(value)
      },
      (error: unknown) => {
        if (this.#state === 'recovering') this.#fail(error)
      },
    )
  }

  #end(): void {
    this.#state = 'over'
    this.#clearTimer()
  }

  #clearTimer(): void {
    if (this.#timer === undefined) return
    this.call.settings.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
