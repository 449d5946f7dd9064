import {
  ACQUIRE_NOW,
  type Admission,
  type Permit,
  type PermitSource,
} from '../../contracts/permit.ts'
import type { Cost, RunOptions } from '../../contracts/runner.ts'
import { isResilienceError, type ResilienceError } from '../../kernel/errors.ts'
import { quietError } from '../../kernel/quiet-error.ts'
import { isThenable } from '../../kernel/thenable.ts'
import type { Plan } from './plan.ts'

/** The call that an attempt belongs to. */
export interface AttemptOwner {
  readonly plan: Plan
  readonly options: RunOptions | undefined
  readonly deadline: number
  /** Calls the task; it reads the signal of the attempt if the task is to be handed it. */
  callTask(attempt: Attempt): unknown
  /** The task begins: from now on its time runs. */
  started(attempt: Attempt): void
  succeeded(attempt: Attempt, value: unknown): void
  failed(attempt: Attempt, error: unknown): void
}

/**
 * One way through breaker, limit, bulkhead and time-out to the task. Each attempt ends exactly once;
 * what its task does after that is not looked at any more.
 */
export class Attempt {
  /** A second copy beside a slow one. */
  readonly isHedge: boolean
  over = false
  /** When the task began; `NaN` before that, and where nobody wants to know. */
  startedAt = Number.NaN
  /** When its time is up. */
  endsAt = Number.POSITIVE_INFINITY
  readonly #owner: AttemptOwner
  #controller: AbortController | undefined
  #admission: Admission | undefined
  #limitPermit: Permit | undefined
  #bulkheadPermit: Permit | undefined
  #hasRun = false
  /** Its time was up, and the task is still waited for. */
  #late: ResilienceError | undefined

  constructor(owner: AttemptOwner, isHedge: boolean) {
    this.#owner = owner
    this.isHedge = isHedge
  }

  /** Made when the task, or a queue, has to be told to give up. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  begin(): void {
    try {
      this.#passBreaker()
    } catch (error) {
      // A source that throws instead of refusing, such as for a cost that it can never grant.
      this.#refused(error)
    }
  }

  /** Its time may be up. */
  checkTime(now: number): void {
    if (now < this.endsAt || this.over) return
    const { plan } = this.#owner
    const { timeout, counts, events, name, label } = plan
    this.endsAt = Number.POSITIVE_INFINITY
    counts.timeouts++
    if (events.has('timeout')) events.emit('timeout', { name, kind: 'attempt' })
    const error = quietError(
      'ERR_TIMEOUT',
      `${label}: an attempt took longer than its time-out (${timeout?.ms} ms); ` +
        'raise timeout, or find out why what it calls is slow',
    )
    this.#late = error
    this.#controller?.abort(error)
    if (timeout?.isHard) this.#fail(error)
  }

  /** Nobody wants it any more, and it says nothing of what it calls. */
  drop(reason: unknown): void {
    if (this.over) return
    this.over = true
    this.#controller?.abort(reason)
    this.#admission?.dropped()
    this.#release()
  }

  #passBreaker(): void {
    const { breaker } = this.#owner.plan
    if (breaker !== undefined) {
      const leave = breaker.admit()
      if (isResilienceError(leave)) {
        this.#refused(leave)
        return
      }
      this.#admission = leave
      // Who was told of it may have ended the call.
      if (this.over) {
        leave.dropped()
        return
      }
    }
    this.#passLimit()
  }

  /** Before the bulkhead: no slot is held while waiting for tokens. */
  #passLimit(): void {
    const { limit } = this.#owner.plan
    if (limit === undefined) {
      this.#passBulkhead()
      return
    }
    const { options } = this.#owner
    this.#acquire(limit, options?.cost ?? options?.weight, (permit) => {
      this.#limitPermit = permit
      this.#passBulkhead()
    })
  }

  #passBulkhead(): void {
    const { bulkhead } = this.#owner.plan
    if (bulkhead === undefined) {
      this.#run()
      return
    }
    // However much it takes of the limit, it is one call in flight.
    this.#acquire(bulkhead, undefined, (permit) => {
      this.#bulkheadPermit = permit
      this.#run()
    })
  }

  #acquire(source: PermitSource, cost: Cost | undefined, next: (permit: Permit) => void): void {
    const { options, deadline } = this.#owner
    const permit = this.#acquireNow(source, cost)
    if (permit) {
      if (this.over) permit.release()
      else next(permit)
      return
    }
    if (this.over) return
    if (this.isHedge) {
      // A copy that would have to queue comes too late to help, and others need the place.
      this.#refused(undefined)
      return
    }
    const given = { ...options, signal: this.signal }
    if (deadline < Number.POSITIVE_INFINITY) given.deadline = deadline
    source
      .acquire(cost, given)
      .then((granted) => {
        if (this.over) granted.release()
        else next(granted)
      })
      .then(undefined, (error: unknown) => this.#refused(error))
  }

  #acquireNow(source: PermitSource, cost: Cost | undefined): Permit | undefined {
    if (!this.isHedge && source[ACQUIRE_NOW]) return source[ACQUIRE_NOW](cost)
    const given = source.tryAcquire(cost)
    return given.ok ? given : undefined
  }

  #run(): void {
    const owner = this.#owner
    this.#hasRun = true
    owner.started(this)
    let result: unknown
    try {
      result = owner.callTask(this)
    } catch (error) {
      this.#failed(error)
      return
    }
    if (!isThenable(result)) {
      this.#succeeded(result)
      return
    }
    const promise = result instanceof Promise ? result : Promise.resolve(result)
    promise.then(
      (value) => this.#succeeded(value),
      (error: unknown) => this.#failed(error),
    )
  }

  #succeeded(value: unknown): void {
    if (this.over) return
    this.over = true
    this.#admission?.ended({ value })
    this.#release()
    this.#owner.succeeded(this, value)
  }

  #failed(error: unknown): void {
    // Told to give up, it did: that is what it ended with.
    this.#fail(this.#late ?? error)
  }

  #fail(error: unknown): void {
    if (this.over) return
    this.over = true
    this.#admission?.ended({ error })
    this.#release()
    this.#owner.failed(this, error)
  }

  #refused(error: unknown): void {
    if (this.over) return
    this.over = true
    this.#admission?.dropped()
    this.#release()
    const { counts, events, name } = this.#owner.plan
    counts.rejected++
    if (events.has('reject')) events.emit('reject', { name, error })
    this.#owner.failed(this, error)
  }

  #release(): void {
    this.#bulkheadPermit?.release()
    // Where the bulkhead let it not pass, it has cost nothing.
    if (this.#hasRun) this.#limitPermit?.release()
    else this.#limitPermit?.settle(0)
  }
}

/** Something to wait for. */
