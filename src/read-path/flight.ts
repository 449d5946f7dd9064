import type { LoadEnd, Position } from '../contracts/store.ts'
import { Deferred } from '../kernel/deferred.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { type Entry, entryTags } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { backOff } from './back-off.ts'
import { failureOf } from './failure.ts'
import { FlightAnswer } from './flight-answer.ts'
import { FlightLease } from './flight-lease.ts'
import type { FlightOptions, Origin } from './flight-options.ts'
import { FlightTimers } from './flight-timers.ts'
import { FlightValidity } from './flight-validity.ts'
import { judge } from './freshness.ts'
import type { InFlight } from './in-flight.ts'
import { entryOutcome, type Outcome, type OutcomeKind } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'

/** A load that nobody waits for any more may go on for so many times `hardTimeout`, and at least 30 s. */
const BACKGROUND_TIMEOUTS = 10
const LEAST_BACKGROUND_MS = 30_000

/**
 * One load of one key, shared by all who want it. It gives two promises: `answer`, what callers get
 * (which may be a stale value while the load goes on), and `final`, how the load itself ended.
 *
 * A flight that is detached still answers those who wait for it, but stores nothing and is not
 * joined any more: that is what an invalidation does to the loads that began before it.
 *
 * One class beyond the usual length: its promises, timers and ends guard the same few fields, and
 * every order in which they can come is decided by looking at all of them.
 */
export class Flight implements InFlight {
  readonly region: Region
  readonly key: LocalKey
  readonly args: readonly unknown[]
  readonly policy: Policy
  readonly origin: Origin
  readonly tags: readonly string[]
  readonly forced: boolean
  readonly minCreatedAt: number
  readonly startedAt: number
  readonly lease = new FlightLease()
  readonly validity: FlightValidity

  fallback: Entry | undefined
  fallbackIsFresh: boolean
  unverified: boolean
  background: boolean
  /** `softTimeout` has passed: callers get the fallback at once. */
  softElapsed = false
  looked = false
  detached = false
  /** Another process has written the key since L2 was last asked. */
  overtaken = false
  /** The origin runs without a lease, and another process has stored the key meanwhile. */
  raced = false
  /** The origin was called: what is written from now on is newer than what it brings. */
  calling = false
  /** Another process has done something to the key since L2 was last asked. */
  woken = false
  /** The load itself has ended. */
  over = false

  readonly #answer: FlightAnswer
  readonly #timers: FlightTimers
  readonly #final = new Deferred<Outcome>()
  #controller: AbortController | undefined
  #abortReason: ResilienceError | undefined
  #storeKey: string | undefined
  /** Set while the load waits for another process. */
  #onWake: (() => void) | undefined

  constructor(region: Region, options: FlightOptions) {
    this.region = region
    this.key = options.key
    this.args = options.args
    this.policy = options.policy
    this.origin = options.origin
    this.tags = options.tags
    this.forced = options.forced
    this.minCreatedAt = options.minCreatedAt
    this.background = options.background
    this.fallback = options.fallback
    this.fallbackIsFresh = options.fallbackIsFresh
    this.unverified = options.unverified
    this.startedAt = region.core.clock.now()
    this.validity = new FlightValidity(region.core.stamps, this.tags)
    this.#answer = new FlightAnswer(region, this.key)
    this.#timers = new FlightTimers(region.core.timers, !this.background)
    region.flights.set(this.key, this)
    region.running.add(this)
    if (this.fallback && !this.fallbackIsFresh && this.policy.softTimeoutMs > 0) {
      this.#startSoftTimer()
    }
    this.#startHardTimer(this.startedAt)
  }

  get final(): Promise<Outcome> {
    return this.#final.promise
  }

  get storeKey(): string {
    this.#storeKey ??= this.region.storeKey(this.key)
    return this.#storeKey
  }

  /** Made when somebody can look at it: the origin's context, or a guard. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#abortReason) this.#controller.abort(this.#abortReason)
    return this.#controller.signal
  }

  /** Whether an invalidation that came after the start outdates what this load will bring. */
  get outdated(): boolean {
    return this.detached || this.invalidated
  }

  /** What L2 had when it was asked may be what was invalidated since. */
  get invalidated(): boolean {
    return (this.calling && this.overtaken) || this.validity.isInvalidated
  }

  get startedSequence(): number {
    return this.validity.startedSequence
  }

  /** Its result turned out to have a tag that was invalidated since the start. */
  get foundOutdated(): boolean {
    return this.validity.isFoundOutdated
  }

  /** What may be served instead of a fresh value now: still in its grace, and not invalidated. */
  get usable(): Entry | undefined {
    const { fallback, policy, region } = this
    const { clock, stamps } = region.core
    if (!fallback || this.unverified || this.validity.isKilled) return undefined
    return judge(fallback, policy, stamps, clock.now()) === 'dead' ? undefined : fallback
  }

  /** Over as soon as its timer gets its turn: many that began together end one after the other. */
  get isAsGoodAsOver(): boolean {
    return (
      this.over ||
      (!this.policy.completeInBackground &&
        this.#timers.isDue('hard', this.region.core.clock.now()))
    )
  }

  get abortKind(): 'timeout' | 'aborted' | undefined {
    if (this.#abortReason === undefined) return undefined
    return this.#abortReason.code === 'ERR_TIMEOUT' ? 'timeout' : 'aborted'
  }

  /** Callers wait who have got nothing yet. */
  get isAwaited(): boolean {
    return !this.#answer.given && this.#answer.callers > 0
  }

  /** L2 is asked now: its answer has whatever others have done before. */
  look(): void {
    this.validity.look()
    this.woken = false
    this.overtaken = false
  }

  /** One more caller waits. After a wave ended by `hardTimeout`, the next one gets its own timer. */
  join(): Promise<Outcome> {
    // Those before were answered with the fallback. It may have outlived its grace meanwhile.
    const isLater = this.#answer.given && !this.over
    if (isLater) this.#answer.nextWave()
    this.#answer.callers++
    if (!this.over) {
      this.#timers.hold(true)
      if (!this.#timers.isRunning('hard')) this.#startHardTimer(this.region.core.clock.now())
    }
    const { promise } = this.#answer
    const waited = this.policy.softTimeoutMs > 0
    if (isLater) this.answerFallback(waited ? 'stale-timeout' : 'stale-while-revalidate')
    return promise
  }

  /** A caller gives up. When the last one does, so does the load. */
  leave(): void {
    this.#answer.callers--
    const isWanted = this.background || this.policy.completeInBackground
    if (this.#answer.callers <= 0 && !isWanted && !this.over && !this.#answer.given) {
      this.abort(new ResilienceError('ERR_ABORTED', 'every caller of this load has left'))
    }
  }

  detach(): void {
    this.validity.isGone = true
    this.fallback = undefined
    this.fallbackIsFresh = false
    this.supersede()
  }

  supersede(): void {
    this.detached = true
    if (this.region.flights.get(this.key) === this) this.region.flights.delete(this.key)
    this.giveLeaseBack({ kind: 'unused' })
  }

  /** Others need not wait for this load, which stores nothing. */
  giveLeaseBack(end: LoadEnd): void {
    this.lease.giveBack(this.region, this.storeKey, end)
  }

  overtake({ sequence, epoch }: Position): void {
    const { position, token } = this.lease
    // A late message of what was there before L2 was asked.
    if (position && position.epoch === epoch && sequence <= position.sequence) return
    if (this.calling && token === undefined) this.raced = true
    else this.overtaken = true
    this.wake()
  }

  /** Under a lease L2 tells what has happened; without one nothing does, or ever will. */
  doubt(): void {
    const { core } = this.region
    const isAlone = core.remote !== undefined && this.policy.useL2 && !this.lease.token
    if (!isAlone || this.over || this.detached) return
    if (this.calling) {
      this.supersede()
      return
    }
    this.overtaken = true
    this.wake()
  }

  wake(): void {
    this.woken = true
    this.#onWake?.()
  }

  /** Until another process has done something to the key, at the latest at an instant. */
  nextLook(at: number): Promise<void> {
    if (this.woken || this.over) return Promise.resolve()
    return new Promise((resolve) => {
      const look = (): void => {
        this.#timers.stop('look')
        this.#onWake = undefined
        resolve()
      }
      this.#onWake = look
      this.#timers.start('look', at, look)
    })
  }

  /** Ends the load for everybody; what the origin still brings is dropped. */
  abort(reason: ResilienceError): void {
    if (this.over) return
    this.#abortReason = reason
    this.#controller?.abort(reason)
    this.fail(reason)
    this.detach()
  }

  /** Something usable turned up that is not fresh. */
  offerStale(entry: Entry): void {
    const { fallback } = this
    if (this.validity.isGone) return
    const isNews = this.fallbackIsFresh || this.unverified
    if (fallback && !isNews && fallback.createdAt >= entry.createdAt) return
    if (!fallback || fallback.createdAt < entry.createdAt) this.fallback = entry
    this.fallbackIsFresh = false
    this.unverified = false
    // Too old for the caller this load was begun for: it is kept for a failure.
    if (this.forced || (!this.background && entry.createdAt < this.minCreatedAt)) return
    if (this.policy.softTimeoutMs === 0 || this.softElapsed) {
      this.answerFallback('stale-while-revalidate')
    } else this.#startSoftTimer()
  }

  /** L2 could not be asked, or never had the fallback: it may be served. */
  trustFallback(): void {
    if (!this.unverified) return
    this.unverified = false
    // Fresh by its ttl, but L2 does not confirm it: with grace it is as good as a stale one.
    if (this.fallbackIsFresh && this.policy.graceMs === 0) return
    this.fallbackIsFresh = false
    if (this.policy.softTimeoutMs === 0) this.answerFallback('stale-while-revalidate')
    else if (this.softElapsed) this.answerFallback('stale-timeout')
    else this.#startSoftTimer()
  }

  /** L2 had the fallback and has it no more: another process has invalidated it. */
  dropFallback(): void {
    const { fallback, key, region } = this
    if (fallback && region.lru.peek(key) === fallback) region.lru.delete(key)
    this.fallback = undefined
    this.fallbackIsFresh = false
    this.unverified = false
  }

  /** Answers those who wait with the fallback; the load goes on in the background. */
  answerFallback(kind: OutcomeKind): void {
    const fallback = this.usable
    if (!fallback || this.forced || this.#answer.given) return
    this.background = true
    this.softElapsed = true
    this.#answer.resolve(entryOutcome(fallback, 'stale', kind))
    this.#timers.hold(false)
  }

  /** L1's own copy is as good as it gets: L2 could not be asked. */
  answerDegraded(): void {
    const { fallback } = this
    if (fallback) this.end(entryOutcome(fallback, 'l1', 'degraded'), entryTags(fallback))
  }

  /**
   * @param tags of the result, with those that only the origin knew
   * @param sequence the local one that the result is as new as
   */
  succeed(outcome: Outcome, tags: readonly string[], sequence = this.startedSequence): void {
    if (this.over) return
    this.region.retries.delete(this.key)
    this.end(outcome, tags, sequence)
  }

  /** How the load ends without having succeeded: what it has is the answer all the same. */
  end(outcome: Outcome, tags: readonly string[], sequence = this.startedSequence): void {
    if (this.over) return
    this.validity.found(tags, sequence)
    this.#end()
    this.#answer.resolve(outcome)
    this.#final.resolve(outcome)
  }

  /** The load has failed: the fallback is served if there is one, else the error. */
  fail(error: unknown, kind: OutcomeKind = 'stale-error'): void {
    if (this.over) return
    this.answerFallback(kind)
    this.#end()
    this.#answer.reject(error)
    this.#final.reject(error)
  }

  #end(): void {
    this.over = true
    this.region.running.delete(this)
    this.#timers.stopAll()
    this.#onWake?.()
    if (this.region.flights.get(this.key) === this) this.region.flights.delete(this.key)
  }

  #startSoftTimer(): void {
    this.#timers.start('soft', this.startedAt + this.policy.softTimeoutMs, () => {
      this.softElapsed = true
      this.answerFallback('stale-timeout')
    })
  }

  #startHardTimer(now: number): void {
    this.#timers.start('hard', now + this.policy.hardTimeoutMs, () => this.#hardTimeout())
  }

  #hardTimeout(): void {
    const { completeInBackground, hardTimeoutMs } = this.policy
    const error = new ResilienceError(
      'ERR_TIMEOUT',
      `the origin of '${this.region.label}' took longer than hardTimeout (${hardTimeoutMs} ms); ` +
        'raise hardTimeout, or set grace so that a stale value can be served',
    )
    if (!completeInBackground) {
      this.#giveUp(error)
      return
    }
    // The load goes on; this wave of callers is answered, the next one gets a promise of its own.
    this.background = true
    this.answerFallback('stale-timeout')
    this.#answer.reject(error)
    this.#timers.hold(false)
    this.#answer.nextWave()
    const longest = Math.max(LEAST_BACKGROUND_MS, BACKGROUND_TIMEOUTS * hardTimeoutMs)
    this.#timers.start('limit', this.startedAt + longest, () => this.#giveUp(error))
  }

  /** It took too long: for its callers it has failed, and its key and its place are free. */
  #giveUp(error: ResilienceError): void {
    if (this.calling) {
      this.region.originErrors++
      this.giveLeaseBack({ kind: 'failed', failure: failureOf(error) })
    }
    backOff(this)
    this.#abortReason = error
    this.#controller?.abort(error)
    this.fail(error, 'stale-timeout')
    this.detach()
  }
}
