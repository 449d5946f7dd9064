import type { BreakerGate } from '../../contracts/permit.ts'
import { Deferred } from '../../kernel/deferred.ts'
import type { ResilienceError } from '../../kernel/errors.ts'
import { Events } from '../../kernel/events.ts'
import { isolatedError, openError, probingError, timeoutError } from './breaker-errors.ts'
import { type BreakerEvents, noStats } from './breaker-events.ts'
import { Call, TOLD } from './call.ts'
import { ConsecutiveWindow } from './consecutive-window.ts'
import { CountWindow } from './count-window.ts'
import { Engine } from './engine.ts'
import type { OutcomeWindow } from './outcome-window.ts'
import { ProbeRound } from './probe-round.ts'
import type { BreakerSettings, WindowSettings } from './resolve-options.ts'
import type { BreakerSnapshot, BreakerState } from './snapshot.ts'
import { TimeWindow } from './time-window.ts'
import { askFor, type Verdict, verdictOfError } from './verdict.ts'

// The states of a breaker and all that leads from one to another: longer than most files, since it can
// be trusted only if it can be read as a whole. What is counted, for how long it opens and what an
// outcome means is elsewhere.

/** From when it opened until it is closed. */
interface Opening {
  readonly until: number
  readonly forMs: number
  readonly wall: number
  /** What opened it, if that was an error: values are nobody else's business. */
  readonly cause: Error | undefined
}

/**
 * Lets calls through or not, and learns from how they end.
 *
 * Time passes by being looked at: nothing here waits for a timer but that of a probe, and the first call
 * after the open time makes it half-open. Each change of state begins a new period; a call that began in an
 * earlier one says nothing of the present one.
 */
export class Circuit implements BreakerGate {
  readonly settings: BreakerSettings
  readonly stats = noStats()
  readonly #events = new Events<BreakerEvents>()
  readonly #window: OutcomeWindow
  readonly #engine: Engine
  readonly #isolations = new Set<object>()
  /** In front of everything: closed, and not isolated. */
  #isClosed = true
  #period = TOLD + 1
  /** Unless it is closed. */
  #opening: Opening | undefined
  /** While it is half-open. */
  #round: ProbeRound | undefined
  /** Since it was last closed. */
  #openings = 0
  /** Why it was last isolated. */
  #reason: string | undefined
  /** For all that this period turns away. */
  #error: ResilienceError | undefined
  #change: Deferred<void> | undefined
  #isCallHeard = false
  #isRejectHeard = false

  constructor(settings: BreakerSettings, restored?: BreakerSnapshot) {
    this.settings = settings
    const { name, window, clock } = settings
    this.#window = newWindow(window)
    const counted = window.type === 'time' ? window : { durationMs: 10_000, buckets: 1 }
    this.#engine = new Engine({ name, ...counted }, this.#window, clock)
    if (restored) this.#restore(restored)
  }

  get engine(): Engine {
    return this.#engine
  }

  get state(): BreakerState {
    if (this.#isolations.size > 0) return 'isolated'
    if (this.#round) return 'half-open'
    if (!this.#opening) return 'closed'
    return this.settings.clock.now() < this.#opening.until ? 'open' : 'half-open'
  }

  on<N extends keyof BreakerEvents>(name: N, listener: (event: BreakerEvents[N]) => unknown) {
    const stop = this.#events.on(name, listener)
    this.#listen()
    return (): void => {
      stop()
      this.#listen()
    }
  }

  admit(): Call | ResilienceError {
    const call = this.enter()
    if (!(call instanceof Call) || !call.isProbe) return call
    const { clock, probeTimeoutMs } = this.settings
    const onTime = (): void => this.timedOut(call, timeoutError(this.settings.name, probeTimeoutMs))
    call.timer = clock.setTimeout(onTime, probeTimeoutMs, { unref: true })
    return call
  }

  /** The same for those who bound a probe themselves. */
  enter(): Call | ResilienceError {
    const now = this.settings.clock.now()
    if (this.#isClosed) return new Call(this, this.#period, now, false)
    const opening = this.#opening
    if (!opening || this.#isolations.size > 0) return this.#reject()
    if (!this.#round && now < opening.until) return this.#reject()
    const round = this.#round ?? this.#halfOpen()
    // A listener may have reset or isolated it.
    if (this.#isClosed) return new Call(this, this.#period, now, false)
    if (round !== this.#round || !round.hasRoom) return this.#reject()
    round.began()
    this.stats.probes++
    return new Call(this, this.#period, now, true)
  }

  /** Whether a call that may wait would have to, for the verdict of the probes. */
  get isProbing(): boolean {
    return this.#round?.hasRoom === false
  }

  /** Resolves when it is worth looking again. */
  get changed(): Promise<void> {
    this.#change ??= new Deferred()
    return this.#change.promise
  }

  succeeded(call: Call, value: unknown): void {
    if (call.period === TOLD) return
    const { classify } = this.settings
    const ms = this.#took(call)
    this.#end(call, classify ? askFor(classify, { value, ms }) : 'success', value, ms)
  }

  failed(call: Call, error: unknown): void {
    if (call.period === TOLD) return
    const { classify } = this.settings
    const ms = this.#took(call)
    this.#end(call, classify ? askFor(classify, { error, ms }) : verdictOfError(error), error, ms)
  }

  /** A time-out of this breaker has ended it: a failure, whatever `classify` would say. */
  timedOut(call: Call, error: ResilienceError): void {
    if (call.period !== TOLD) this.stats.timeouts++
    this.#end(call, 'failure', error, this.#took(call))
  }

  dropped(call: Call): void {
    this.#end(call, 'ignore', undefined, this.#took(call))
  }

  /** @returns what ends it; it lasts until all who have isolated it have ended it */
  isolate(reason?: string): Disposable {
    const handle = {}
    this.#isolations.add(handle)
    this.#reason = reason
    this.#begin()
    const { name } = this.settings
    const why = reason === undefined ? {} : { reason }
    this.#events.emit('isolate', { name, isIsolated: true, ...why })
    return { [Symbol.dispose]: () => this.#release(handle) }
  }

  reset(): void {
    const wasIsolated = this.#isolations.size > 0
    this.#isolations.clear()
    this.#close()
    if (wasIsolated) this.#events.emit('isolate', { name: this.settings.name, isIsolated: false })
  }

  snapshot(): BreakerSnapshot {
    const { state } = this
    const opening = this.#opening
    const reason = this.#reason
    return {
      version: 1,
      state,
      openings: this.#openings,
      ...(opening && {
        openedAt: opening.wall,
        openForMs: opening.forMs === Infinity ? null : opening.forMs,
      }),
      ...(state === 'isolated' && reason !== undefined && { reason }),
    }
  }

  #took(call: Call): number {
    return this.settings.clock.now() - call.startedAt
  }

  #end(call: Call, verdict: Verdict, outcome: unknown, ms: number): void {
    const { period } = call
    if (period === TOLD) return
    call.period = TOLD
    const { slowMs, clock, name } = this.settings
    if (call.timer !== undefined) clock.clearTimeout(call.timer)
    const isSlow = ms > slowMs && verdict !== 'ignore'
    const isLate = period !== this.#period
    this.#count(verdict, isSlow, isLate)
    if (this.#isCallHeard) {
      const { isProbe } = call
      this.#events.emit('call', { name, verdict, ms, isSlow, isProbe, isLate })
    }
    // A listener may have isolated or reset it.
    if (period !== this.#period) return
    if (call.isProbe) this.#probed(verdict, isSlow, outcome)
    else if (verdict !== 'ignore')
      this.#judge(verdict === 'failure', isSlow, outcome, call.startedAt + ms)
  }

  #count(verdict: Verdict, isSlow: boolean, isLate: boolean): void {
    const { stats } = this
    if (verdict === 'success') stats.successes++
    else if (verdict === 'failure') stats.failures++
    else stats.ignored++
    if (isSlow) stats.slow++
    if (isLate) stats.late++
  }

  /** Only a failure or a slow call opens it: a success may complete `minimumCalls`, but is no reason. */
  #judge(isFailure: boolean, isSlow: boolean, outcome: unknown, now: number): void {
    this.#window.add(isFailure, isSlow, now)
    if (!isFailure && !isSlow) return
    const { calls, failures, slow } = this.#window.tally()
    const { minimumCalls, failureRate, slowRate } = this.settings
    if (calls < minimumCalls) return
    // 0.7 × 10 is a little more than 7 in binary.
    const rounding = 1e-9 * calls
    const isFailing = failures >= failureRate * calls - rounding
    if (isFailing || slow >= slowRate * calls - rounding) this.#open(outcome)
  }

  #probed(verdict: Verdict, isSlow: boolean, outcome: unknown): void {
    const round = this.#round
    if (!round) return
    if (verdict === 'ignore') {
      round.dropped()
      this.#wake()
      return
    }
    const decision = round.ended(verdict === 'success' && !isSlow)
    if (decision === 'open') this.#open(outcome)
    else if (decision === 'close') this.#close()
  }

  #open(cause: unknown): void {
    const { clock, name, openTime } = this.settings
    const openings = ++this.#openings
    const forMs = openTime(openings, cause)
    this.#opening = {
      until: clock.now() + forMs,
      forMs,
      wall: clock.wall(),
      cause: cause instanceof Error ? cause : undefined,
    }
    this.stats.opened++
    this.#engine.open(forMs)
    this.#begin()
    this.#events.emit('open', { name, openForMs: forMs, openings, cause })
  }

  #halfOpen(): ProbeRound {
    const { name, probes, successesNeeded } = this.settings
    const round = new ProbeRound(probes, successesNeeded)
    this.#begin(round)
    this.#events.emit('half-open', { name })
    return round
  }

  #close(): void {
    const wasOpen = this.#opening !== undefined
    this.#opening = undefined
    this.#openings = 0
    this.#window.clear()
    this.#engine.close()
    this.#begin()
    if (!wasOpen) return
    this.stats.closed++
    this.#events.emit('close', { name: this.settings.name })
  }

  #release(handle: object): void {
    if (!this.#isolations.delete(handle) || this.#isolations.size > 0) return
    this.#begin()
    this.#events.emit('isolate', { name: this.settings.name, isIsolated: false })
  }

  #restore({ openings, openedAt, openForMs, state, reason }: BreakerSnapshot): void {
    const { clock } = this.settings
    this.#openings = openings
    if (openedAt !== undefined) {
      const forMs = openForMs ?? Infinity
      // Whatever has become of the clock of the machine: not longer than it was to be open.
      const leftMs = Math.min(forMs, Math.max(0, openedAt + forMs - clock.wall()))
      this.#opening = { until: clock.now() + leftMs, forMs, wall: openedAt, cause: undefined }
      this.#engine.open(leftMs)
      this.#begin()
    }
    if (state === 'isolated') this.isolate(reason)
  }

  /** A new period: nothing that began before has a say in it. */
  #begin(round?: ProbeRound): void {
    this.#period++
    this.#round = round
    this.#isClosed = this.#opening === undefined && this.#isolations.size === 0
    this.#error = undefined
    this.#wake()
  }

  /** Lets those who wait look again. */
  #wake(): void {
    const change = this.#change
    this.#change = undefined
    change?.resolve()
  }

  #reject(): ResilienceError {
    const error = this.#error ?? this.#rejection()
    this.#error = error
    this.stats.rejected++
    // A listener may begin a new period, which has no error yet.
    if (this.#isRejectHeard) this.#events.emit('reject', { name: this.settings.name, error })
    return error
  }

  #rejection(): ResilienceError {
    const { name, clock } = this.settings
    if (this.#isolations.size > 0) return isolatedError(name, this.#reason)
    const opening = this.#opening as Opening
    if (this.#round) return probingError(name, opening.cause)
    return openError(name, opening.cause, () => Math.max(0, opening.until - clock.now()))
  }

  #listen(): void {
    this.#isCallHeard = this.#events.has('call')
    this.#isRejectHeard = this.#events.has('reject')
  }
}

function newWindow(settings: WindowSettings): OutcomeWindow {
  switch (settings.type) {
    case 'time':
      return new TimeWindow(settings.durationMs, settings.buckets)
    case 'count':
      return new CountWindow(settings.size)
    case 'consecutive':
      return new ConsecutiveWindow()
  }
}
