import type { Timer } from '../../contracts/clock.ts'
import type { RunOptions } from '../../contracts/runner.ts'
import { quietError } from '../../kernel/quiet-error.ts'
import { isThenable } from '../../kernel/thenable.ts'
import { BUDGET_SPENT, NO_RETRY } from '../retry/retry-rule.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import type { GuardEvents } from './guard-events.ts'
import type { Plan } from './plan.ts'

const NEVER = Number.POSITIVE_INFINITY
const NO_ARGS: readonly unknown[] = []

export interface Work {
  /** Called for each attempt: with its signal, if it takes one. */
  readonly task: (signal: AbortSignal) => unknown
  readonly takesSignal: boolean
  /** Of the wrapped function, for the fallback. */
  readonly args?: readonly unknown[]
  /** Whether an error is answered by the fallback of the plan. */
  readonly usesFallback: boolean
}

/**
 * One call through a guard: its attempts, its one timer and its one promise.
 *
 * A state machine rather than a function in a function for each stage: what each stage has to know of
 * the others (the deadline, who was aborted, which copy is ahead) is in one place, and a call makes no
 * promise, timer or signal for each of them. One class beyond the usual length for the same reason.
 *
 * Listeners, `retryIf` and `classify` are the user's and may abort the call in the middle of a step:
 * each step looks whether it is over.
 */
export class Call implements AttemptOwner {
  readonly plan: Plan
  readonly options: RunOptions | undefined
  deadline = NEVER
  readonly #work: Work
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void
  #over = false
  #isBeginning = false
  /** The attempt that begins has failed already, and another one follows at once. */
  #goesOn = false
  #startedAt = Number.NaN
  #attempts = 0
  #first: Attempt | undefined
  #second: Attempt | undefined
  /** Of the first copy, while the second one still runs. */
  #firstError: unknown
  #hedgeAt = NEVER
  /** When the next attempt begins. */
  #nextAt = NEVER
  #timer: Timer
  #timerAt = NEVER

  constructor(plan: Plan, work: Work, options: RunOptions | undefined) {
    this.plan = plan
    this.options = options
    this.#work = work
  }

  run(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#begin()
    })
  }

  /** The caller's signal was aborted. */
  handleEvent(): void {
    if (!this.#over) this.#abort()
  }

  callTask(attempt: Attempt): unknown {
    const { task, takesSignal } = this.#work
    return takesSignal ? task(this.#signalOf(attempt)) : (task as () => unknown)()
  }

  started(attempt: Attempt): void {
    const { timeout, hedge, clock } = this.plan
    if (timeout === undefined && hedge === undefined) return
    const now = clock.now()
    attempt.startedAt = now
    if (timeout) attempt.endsAt = now + timeout.ms
    if (hedge && !attempt.isHedge) this.#hedgeAt = now + (hedge.delayMs ?? NEVER)
    // Begun after it had to wait. Else the timer is set when it is known whether there is any need.
    if (!this.#isBeginning) this.#arm()
  }

  succeeded(attempt: Attempt, value: unknown): void {
    if (this.#over) return
    const { hedge, counts, clock } = this.plan
    if (hedge) {
      const first = attempt.isHedge ? this.#first : attempt
      if (first) hedge.observe(clock.now() - first.startedAt)
      if (attempt.isHedge) counts.hedgesWon++
      const loser = attempt.isHedge ? this.#first : this.#second
      loser?.drop(quietError('ERR_ABORTED', `${this.plan.label}: the other copy answered first`))
      if (this.#over) return
    }
    counts.succeeded++
    this.#finish('ok')
    this.#resolve(value)
  }

  failed(attempt: Attempt, error: unknown): void {
    if (this.#over) return
    if (attempt.isHedge) this.#second = undefined
    else {
      this.#first = undefined
      this.#firstError = error
    }
    // The other copy may still answer.
    if (this.#first || this.#second) return
    this.#hedgeAt = NEVER
    this.#decide(this.#firstError)
  }

  #begin(): void {
    const { plan, options } = this
    const { clock, counts, events, deadlineMs } = plan
    const signal = options?.signal
    counts.calls++
    counts.inFlight++
    if (events.has('call')) this.#startedAt = clock.now()
    if (signal?.aborted) {
      this.#abort()
      return
    }
    plan.retry?.budget?.deposit()
    plan.hedge?.budget?.deposit()
    const until = options?.deadline
    if (deadlineMs < NEVER || until !== undefined) {
      const now = clock.now()
      this.deadline = Math.min(now + deadlineMs, until ?? NEVER)
      if (this.deadline <= now) {
        this.#expire()
        return
      }
    }
    signal?.addEventListener('abort', this)
    this.#attempt()
  }

  #attempt(): void {
    do {
      if (this.#over) return
      this.#goesOn = false
      this.#attempts++
      this.#hedgeAt = NEVER
      const attempt = new Attempt(this, false)
      this.#first = attempt
      this.#start(attempt)
    } while (this.#goesOn)
  }

  #start(attempt: Attempt): void {
    this.#isBeginning = true
    attempt.begin()
    this.#isBeginning = false
    if (!this.#over) this.#arm()
  }

  #decide(error: unknown): void {
    const { retry, counts, events, name, clock } = this.plan
    let wait: number
    try {
      wait = retry?.next(error, this.#attempts, this.deadline) ?? NO_RETRY
    } catch (thrown) {
      // `retryIf` is the user's.
      this.#fail(thrown)
      return
    }
    if (wait === BUDGET_SPENT) {
      counts.retriesDenied++
      if (events.has('budget-spent')) events.emit('budget-spent', { name, stage: 'retry' })
    }
    if (wait < 0) {
      this.#fail(error)
      return
    }
    counts.retries++
    if (events.has('retry')) {
      events.emit('retry', { name, attempt: this.#attempts, delayMs: wait, error })
    }
    if (wait === 0) {
      // One within the other would use up the stack where tasks fail before they give a promise.
      if (this.#isBeginning) this.#goesOn = true
      else this.#attempt()
      return
    }
    this.#nextAt = clock.now() + wait
    this.#arm()
  }

  #hedge(): void {
    const { hedge, counts, events, name } = this.plan
    if (!hedge || !this.#first) return
    if (hedge.budget && !hedge.budget.tryTake()) {
      counts.hedgesDenied++
      if (events.has('budget-spent')) events.emit('budget-spent', { name, stage: 'hedge' })
      return
    }
    counts.hedges++
    if (events.has('hedge')) events.emit('hedge', { name, delayMs: hedge.delayMs ?? 0 })
    if (this.#over) return
    const attempt = new Attempt(this, true)
    this.#second = attempt
    this.#start(attempt)
  }

  #signalOf(attempt: Attempt): AbortSignal {
    const { timeout, hedge } = this.plan
    const signal = this.options?.signal
    const onlyTheCallerAborts =
      timeout === undefined && hedge === undefined && this.deadline === NEVER
    return signal && onlyTheCallerAborts ? signal : attempt.signal
  }

  /** One timer, for whatever comes first. One that is too early is left alone: it looks again. */
  #arm(): void {
    if (this.#over) return
    const at = Math.min(
      this.plan.keepsDeadline ? this.deadline : NEVER,
      this.#nextAt,
      this.#hedgeAt,
      this.#first?.endsAt ?? NEVER,
      this.#second?.endsAt ?? NEVER,
    )
    if (at >= this.#timerAt) return
    const { clock } = this.plan
    if (this.#timerAt !== NEVER) clock.clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = clock.setTimeout(() => this.#wake(), Math.max(0, at - clock.now()))
  }

  #wake(): void {
    this.#timerAt = NEVER
    if (this.#over) return
    const now = this.plan.clock.now()
    if (now >= this.deadline && this.plan.keepsDeadline) {
      this.#expire()
      return
    }
    this.#first?.checkTime(now)
    this.#second?.checkTime(now)
    if (now >= this.#nextAt) {
      this.#nextAt = NEVER
      this.#attempt()
    }
    if (now >= this.#hedgeAt) {
      this.#hedgeAt = NEVER
      this.#hedge()
    }
    if (!this.#over) this.#arm()
  }

  #expire(): void {
    const { label, deadlineMs, counts, events, name } = this.plan
    const limit = deadlineMs < NEVER ? ` (${deadlineMs} ms)` : ''
    const error = quietError(
      'ERR_TIMEOUT',
      `${label}: the call did not end before its deadline${limit}; ` +
        'raise deadline, or give a fallback',
    )
    counts.deadlines++
    if (events.has('timeout')) events.emit('timeout', { name, kind: 'deadline' })
    if (this.#over) return
    this.#drop(error)
    this.#fail(error)
  }

  #abort(): void {
    const error = this.#abortError()
    this.plan.counts.aborted++
    this.#drop(error)
    this.#finish('aborted')
    this.#reject(error)
  }

  #abortError(): Error {
    const cause: unknown = this.options?.signal?.reason
    return quietError('ERR_ABORTED', `${this.plan.label}: the call was aborted by its signal`, {
      cause,
    })
  }

  #fail(error: unknown): void {
    if (this.#over) return
    const { counts, fallback } = this.plan
    counts.failed++
    if (fallback === undefined || !this.#work.usesFallback) {
      this.#finish('error')
      this.#reject(error)
      return
    }
    this.#finish('fallback')
    this.#answer(fallback, error)
  }

  #answer(fallback: NonNullable<Plan['fallback']>, error: unknown): void {
    const { counts, events, name } = this.plan
    counts.fallbacks++
    if (events.has('fallback')) events.emit('fallback', { name, error })
    try {
      this.options?.onFallback?.(error)
      const value = fallback(error, { args: this.#work.args ?? NO_ARGS })
      const signal = this.options?.signal
      this.#resolve(signal && isThenable(value) ? this.#unlessAborted(value, signal) : value)
    } catch (thrown) {
      this.#reject(thrown)
    }
  }

  /** A fallback that takes its time is waited for as long as its caller wants it. */
  #unlessAborted(value: PromiseLike<unknown>, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(this.#abortError())
      const end = (): void => signal.removeEventListener('abort', onAbort)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
      void Promise.resolve(value).then(resolve, reject).then(end)
    })
  }

  #drop(reason: unknown): void {
    this.#first?.drop(reason)
    this.#second?.drop(reason)
  }

  #finish(result: GuardEvents['call']['result']): void {
    const { plan, options } = this
    this.#over = true
    this.#first = undefined
    this.#second = undefined
    plan.counts.inFlight--
    options?.signal?.removeEventListener('abort', this)
    if (this.#timerAt !== NEVER) plan.clock.clearTimeout(this.#timer)
    if (plan.events.has('call')) this.#tell(result)
  }

  #tell(result: GuardEvents['call']['result']): void {
    const { clock, events, name } = this.plan
    // Somebody may have begun to listen in the middle of it.
    if (Number.isNaN(this.#startedAt)) return
    const durationMs = clock.now() - this.#startedAt
    events.emit('call', { name, result, durationMs, attempts: this.#attempts })
  }
}
