import type { RunOptions } from '../../contracts/runner.ts'
import type { ResilienceError } from '../../kernel/errors.ts'
import { Events } from '../../kernel/events.ts'
import { abortedError, closedError, fullError, lateError, tooLongError } from './bulkhead-errors.ts'
import type { BulkheadSettings } from './bulkhead-options.ts'
import { Waiter } from './waiter.ts'
import { WaitingLine } from './waiting-line.ts'

/** What {@link Bulkhead.on} can listen to. */
export interface BulkheadEvents {
  /** A caller has to wait; `waiting` counts it. */
  readonly wait: { readonly waiting: number }
  /** A caller was turned away, or has waited in vain. */
  readonly reject: { readonly reason: 'full' | 'too-long' | 'deadline' | 'closed' }
  /** The last one has left: nothing runs and nobody waits. */
  readonly idle: Record<never, never>
}

/** Counters of a bulkhead, since it was made. */
export interface BulkheadStats {
  readonly max: number
  /** What is held now, in weights. */
  readonly running: number
  /** Callers who wait now. */
  readonly waiting: number
  /** Callers who got a place. */
  readonly started: number
  /** Callers who were turned away, or waited in vain. */
  readonly rejected: number
  /** Callers whose signal was aborted before they got a place. */
  readonly aborted: number
}

const NO_OPTIONS: RunOptions = {}

/** The places of a bulkhead: who holds them, and who waits for them. */
export class Slots {
  readonly settings: BulkheadSettings
  readonly events = new Events<BulkheadEvents>()
  readonly #line = new WaitingLine<Waiter>()
  /** Who waits for the end of all. */
  readonly #onIdle = new Set<() => void>()
  #used = 0
  #isClosed = false
  #started = 0
  #rejected = 0
  #aborted = 0

  constructor(settings: BulkheadSettings) {
    this.settings = settings
  }

  /** Never waits. @returns whether it got a place, which is then to be given back */
  take(weight: number): boolean {
    if (this.#line.size > 0 || this.#used + weight > this.settings.max || this.#isClosed)
      return false
    this.#used += weight
    this.#started++
    return true
  }

  give(weight: number): void {
    this.#used -= weight
    if (this.#line.size > 0) this.#letIn()
    else if (this.#used === 0) this.#idle()
  }

  /** Resolves when it has got a place. */
  wait(weight: number, options: RunOptions = NO_OPTIONS): Promise<void> {
    const refusal = this.#refusal(options)
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#line.add(this.#waiter(weight, options, { entered: resolve, left: reject }))
      // Only now: a listener may free a place, close this or abort the signal.
      if (this.events.has('wait')) this.events.emit('wait', { waiting: this.#line.size })
    })
  }

  /** Nobody gets in any more; who waits is turned away. */
  close(): void {
    this.#isClosed = true
    for (let waiter = this.#line.first; waiter; waiter = this.#line.first) {
      this.#turnAway(waiter, 'closed', closedError(this.settings))
    }
    if (this.#used === 0) this.#idle()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Resolves when nothing runs and nobody waits. */
  drained(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(abortedError(this.settings, signal))
    if (this.#used === 0 && this.#line.size === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onIdle = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = (): void => {
        this.#onIdle.delete(onIdle)
        reject(abortedError(this.settings, signal as AbortSignal))
      }
      this.#onIdle.add(onIdle)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  stats(): BulkheadStats {
    return {
      max: this.settings.max,
      running: this.#used,
      waiting: this.#line.size,
      started: this.#started,
      rejected: this.#rejected,
      aborted: this.#aborted,
    }
  }

  /** A caller has given up by itself. */
  abandoned(signal: AbortSignal): ResilienceError {
    this.#aborted++
    return abortedError(this.settings, signal)
  }

  #refusal({ signal, deadline }: RunOptions): ResilienceError | undefined {
    const { settings } = this
    if (signal?.aborted) return this.abandoned(signal)
    if (this.#isClosed) return this.#reject('closed', closedError(settings))
    if (this.#line.size >= settings.queue) return this.#reject('full', fullError(settings))
    if (deadline !== undefined && deadline <= settings.clock.now()) {
      return this.#reject('deadline', lateError(settings))
    }
    return undefined
  }

  #waiter(
    weight: number,
    { signal, priority = 0, deadline = Number.POSITIVE_INFINITY }: RunOptions,
    end: ConstructorParameters<typeof Waiter>[2],
  ): Waiter {
    const { clock, maxWaitMs } = this.settings
    const leftMs = deadline === Number.POSITIVE_INFINITY ? deadline : deadline - clock.now()
    const isDeadline = leftMs < maxWaitMs
    const onTimeout = (waiter: Waiter): void =>
      isDeadline
        ? this.#turnAway(waiter, 'deadline', lateError(this.settings))
        : this.#turnAway(waiter, 'too-long', tooLongError(this.settings))
    const onAbort = (waiter: Waiter): void => {
      this.#remove(waiter, this.abandoned(signal as AbortSignal))
    }
    const waitMs = Math.min(leftMs, maxWaitMs)
    return new Waiter(weight, priority, end, { clock, signal, waitMs, onAbort, onTimeout })
  }

  #turnAway(
    waiter: Waiter,
    reason: BulkheadEvents['reject']['reason'],
    error: ResilienceError,
  ): void {
    this.#remove(waiter, error)
    this.#reject(reason, error)
  }

  #remove(waiter: Waiter, error: ResilienceError): void {
    this.#line.remove(waiter)
    waiter.leave(error)
    // One that was too heavy may have kept lighter ones waiting.
    this.#letIn()
  }

  #letIn(): void {
    const { max } = this.settings
    for (let waiter = this.#line.first; waiter; waiter = this.#line.first) {
      if (this.#used + waiter.weight > max || this.#isClosed) return
      this.#line.remove(waiter)
      this.#used += waiter.weight
      this.#started++
      waiter.enter()
    }
  }

  #idle(): void {
    // A Set that is cleared makes itself a new table, even when it was empty.
    if (this.#onIdle.size > 0) {
      for (const onIdle of this.#onIdle) onIdle()
      this.#onIdle.clear()
    }
    if (this.events.has('idle')) this.events.emit('idle', {})
  }

  #reject(reason: BulkheadEvents['reject']['reason'], error: ResilienceError): ResilienceError {
    this.#rejected++
    if (this.events.has('reject')) this.events.emit('reject', { reason })
    return error
  }
}
