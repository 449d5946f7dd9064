import type { Timer } from '../../contracts/clock.ts'
import { isResilienceError, ResilienceError } from '../../kernel/errors.ts'
import type { Settings } from './options.ts'
import { Suppressed } from './suppressed.ts'

/** A job, as far as its call is concerned. */
export interface CallJob {
  readonly index: number
  readonly key: PropertyKey
  readonly ranForMs: number
  /** Its signal tells it to stop. */
  stop(reason: unknown): void
  /** It has failed by this error, unless it was over. */
  expire(error: unknown): void
  /** As expire, and its fallback is not wanted. */
  abandon(error: unknown): void
}

/** How a call deals with its jobs. */
export interface CallPlan {
  readonly settings: Settings
  /** Failed jobs are results as well, and nothing rejects. */
  readonly settles?: boolean
  /** Jobs in all, where that is known. */
  readonly total?: number
  /** Makes what the caller gets of the results, which are in the order of the jobs. */
  readonly shape?: (results: unknown[]) => unknown
}

/** What the jobs of one call share: their signal, their results, the first error and the end. */
export class Call {
  readonly settings: Settings
  readonly settles: boolean
  readonly promise: Promise<unknown>
  readonly results: unknown[] = []
  /** What progress is told the total is, where it is known before the end. */
  knownTotal: number | undefined
  /** Jobs that were made so far. */
  taken = 0
  /** The outcome stands: what is not started is not started any more. */
  over = false
  /** Its time is up: while fallbacks stand in for what is left, nothing more is started. */
  expired = false
  /** What to do once it is. */
  onOver: (() => void) | undefined
  /** What to do with a value before the call may be complete. */
  onSuccess: ((job: CallJob, value: unknown) => void) | undefined
  /** All jobs, where they are known from the start: those that a time-out is to end. */
  jobs: readonly CallJob[] | undefined
  /** `undefined` until the last one has been taken. */
  #total: number | undefined
  #done = 0
  /** Begun, and not yet at their real end, whatever became of their results. */
  #running = 0
  #suppressed: Suppressed | undefined
  #deliver: (() => void) | undefined
  #timer: Timer
  readonly #controller = new AbortController()
  /** Jobs with a signal of their own. */
  readonly #guided = new Set<CallJob>()
  readonly #shape: (results: unknown[]) => unknown
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void
  readonly #onAbort = (): void => this.#abort()

  constructor({ settings, settles = false, total, shape = (results) => results }: CallPlan) {
    this.settings = settings
    this.settles = settles
    this.knownTotal = total
    this.#total = total
    this.#shape = shape
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** From here on the caller's signal and the time limit hold. */
  open(): void {
    const { signal, timeoutMs, clock } = this.settings
    if (this.over) return
    if (signal?.aborted) {
      this.#abort()
      return
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#timer = clock.setTimeout(() => this.#expire(), timeoutMs)
    }
    this.#completeIfDone()
  }

  begun(): void {
    this.#running++
  }

  /** One that had begun has come to its real end. */
  ceased(): void {
    this.#running--
    if (this.#running === 0) this.#deliver?.()
  }

  guide(job: CallJob): void {
    this.#guided.add(job)
  }

  succeeded(job: CallJob, value: unknown): void {
    this.results[job.index] = this.settles ? { ok: true, value } : value
    this.onSuccess?.(job, value)
    this.#ended(job)
  }

  failed(job: CallJob, error: unknown): void {
    if (this.settles) {
      const timedOut = isResilienceError(error, 'ERR_TIMEOUT')
      this.results[job.index] = { ok: false, error, timedOut }
      this.#ended(job)
    } else {
      if (this.settings.events.has('progress')) this.#report(job)
      this.fail(error)
    }
  }

  /** The first error decides; the others are attached to it. */
  fail(error: unknown): void {
    if (this.over) {
      this.late(error)
      return
    }
    this.#suppressed = new Suppressed(error)
    this.#finish(() => this.#reject(error))
    // Last: what listens may end its task in here, and the outcome has to stand by then.
    this.#stop(error)
  }

  /** An error when the outcome stands already. */
  late(error: unknown): void {
    this.#suppressed?.add(error)
  }

  /** There is nothing more than what was taken. */
  allTaken(): void {
    this.#total = this.taken
    this.#completeIfDone()
  }

  #completeIfDone(): void {
    if (this.over || this.#done !== this.#total) return
    this.#finish(() => this.#resolve(this.#shape(this.results)))
  }

  #ended(job: CallJob): void {
    this.#guided.delete(job)
    if (this.over) return
    if (this.settings.events.has('progress')) this.#report(job)
    else this.#done++
    this.#completeIfDone()
  }

  #report(job: CallJob): void {
    this.#done++
    this.settings.events.emit('progress', {
      done: this.#done,
      total: this.knownTotal ?? this.taken,
      key: job.key,
      ms: job.ranForMs,
    })
  }

  #finish(deliver: () => void): void {
    const { signal, clock, waitsForAll } = this.settings
    this.over = true
    signal?.removeEventListener('abort', this.#onAbort)
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.onOver?.()
    if (waitsForAll && this.#running > 0) this.#deliver = deliver
    else deliver()
  }

  #stop(reason: unknown): void {
    this.#controller.abort(reason)
    for (const job of this.#guided) job.stop(reason)
    this.#guided.clear()
  }

  #expire(): void {
    const { label, timeoutMs } = this.settings
    const error = new ResilienceError(
      'ERR_TIMEOUT',
      `${label} took longer than ${timeoutMs} ms; raise its timeout, or give the slow tasks a fallback`,
    )
    this.expired = true
    if (this.jobs) for (const job of this.jobs) job.expire(error)
    else this.fail(error)
    // Where fallbacks stand in for them, the tasks themselves would run on.
    this.#stop(error)
  }

  #abort(): void {
    const { label, signal } = this.settings
    const error = new ResilienceError('ERR_ABORTED', `${label} was aborted by its signal`, {
      cause: signal?.reason,
    })
    if (this.settles) {
      for (const job of this.jobs ?? []) job.abandon(error)
      this.#stop(error)
      // Without any jobs there is none that could be the last one.
      this.#completeIfDone()
    } else {
      this.fail(error)
    }
  }
}
