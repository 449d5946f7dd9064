import type { Clock, Timer } from '../../contracts/clock.ts'
import type { Events } from '../../kernel/events.ts'
import type { Budget } from './budget.ts'
import type { CostPlan, Costs } from './cost-plan.ts'
import type { RateLimiterEvents } from './limiter-events.ts'
import type { DistributedOptions } from './limiter-options.ts'
import { RedisCalls } from './redis-calls.ts'
import { type Asked, isUnsettled, lacks, SharedSlice } from './shared-slice.ts'
import { TokenBuckets } from './token-buckets.ts'

/** How long a process counts as one of those that share, after it was last heard of. */
const MEMBER_MS = 60_000
/** How often, while it is on its own and in use, a process looks for Redis. */
const PROBE_MS = 100
/** A client that connects slowly is greeted so often before somebody calls. */
const MOST_GREETINGS = 30
/** How long a leased slice may lie unused. */
const UPKEEP_MS = 100
/** What all processes together may let through beyond what the buckets hold, before Redis hears of it. */
const UNSEEN_SHARE = 0.2

/** Of a distributed limiter. */
export interface SharedStats {
  /** `'alone'`: without Redis, as `whenDown` says. `'meeting'`: the first answer is still to come. */
  readonly state: 'meeting' | 'shared' | 'alone'
  /** Processes that share the limit, as far as this one knows. */
  readonly instances: number
  /** Questions put to Redis. */
  readonly calls: number
  /** Those that were not answered in time, or with an error. */
  readonly failures: number
}

interface SharedOptions extends DistributedOptions {
  readonly name: string
  readonly plan: CostPlan
  readonly clock: Clock
  readonly random: () => number
  readonly events: Events<RateLimiterEvents>
}

/** What the shared budget needs of the limiter. */
interface Hooks {
  demand(): { readonly first: Costs | undefined; readonly all: Costs }
  /** Something has changed: whoever waits may be able to go. */
  wake(now: number): void
  pause(now: number, ms: number): void
}

/**
 * The rates of several processes. Redis holds the buckets; this process leases slices of them and
 * decides by what it has. It may also take a little on credit, when as far as it knows there is enough
 * for all to do the same, and tell Redis at once: so a call after a quiet time need not wait for an
 * answer. When Redis fails it goes on with its share of the rates, beginning with what it last knew;
 * what it then took is charged when Redis is back.
 *
 * Longer than other files: what is leased, owed and known changes together, with each reply.
 */
export class SharedBudget implements Budget {
  readonly #options: SharedOptions
  readonly #hooks: Hooks
  readonly #calls: RedisCalls
  readonly #keys: readonly [string, string]
  readonly #member: string
  readonly #slices: readonly SharedSlice[]
  /** The shared buckets, as this process knows them. */
  readonly #view: TokenBuckets
  /** Its share, while it is on its own. */
  #own: TokenBuckets
  #mode: SharedStats['state'] = 'meeting'
  #instances: number
  #comingAt = Number.NEGATIVE_INFINITY
  #probeAt = Number.NEGATIVE_INFINITY
  #pauseUntil = Number.NEGATIVE_INFINITY
  /** When Redis last answered. */
  #heardAt = Number.NEGATIVE_INFINITY
  /** For how long each bucket cannot be full, as the provider has said; to be told. */
  #emptied: number[]
  /** How often Redis was greeted; Infinity once it has answered. */
  #greetings = 0
  #isScheduled = false
  #upkeep: Timer | undefined
  #isClosed = false

  constructor(options: SharedOptions, hooks: Hooks) {
    const { redis, clock, plan, random, prefix = 'rate-limit:', name, instances = 1 } = options
    this.#options = options
    this.#hooks = hooks
    this.#calls = new RedisCalls(redis, clock)
    // Encoded, so that the name cannot end its own hash tag: both keys live in one slot.
    const tag = `${prefix}{${encodeURIComponent(name)}}`
    this.#keys = [`${tag}:buckets`, `${tag}:members`]
    this.#member = `${random().toString(36).slice(2)}${random().toString(36).slice(2)}`
    this.#slices = plan.rates.map((rate) => new SharedSlice(rate))
    this.#view = new TokenBuckets(plan.rates)
    this.#own = new TokenBuckets(plan.rates)
    this.#emptied = plan.rates.map(() => 0)
    this.#instances = instances
    this.#schedule()
  }

  get stats(): SharedStats {
    const { made: calls, failed: failures } = this.#calls
    return { state: this.#mode, instances: this.#instances, calls, failures }
  }

  wait(now: number, costs: Costs, ahead?: Costs): number {
    if (this.#mode === 'alone') return this.#waitAlone(now, costs, ahead)
    if (this.#mode === 'meeting') return Number.POSITIVE_INFINITY
    this.#arrive(now)
    if (ahead) return this.#leastWait(now, costs, ahead)
    if (!lacks(this.#slices, costs)) return 0
    // What others have given back may be there before what is coming.
    if (this.#mayTakeOnCredit(now, costs)) return 0
    return this.#isComing(now) ? this.#comingAt - now : Number.POSITIVE_INFINITY
  }

  take(now: number, costs: Costs): void {
    if (this.#mode === 'alone') {
      this.#own.take(now, costs)
      this.#schedule()
      return
    }
    for (let at = 0; at < this.#slices.length; at++) {
      const cost = costs[at] as number
      if (cost > 0) (this.#slices[at] as SharedSlice).take(cost)
    }
    if (this.#isShort || this.#isLow) this.#schedule()
    this.#keepUp()
  }

  charge(now: number, dimension: number, amount: number): void {
    if (this.#mode === 'alone') {
      this.#own.charge(now, dimension, amount)
      return
    }
    this.#slices[dimension]?.charge(amount)
    this.#keepUp()
  }

  lower(now: number, dimension: number, remaining: number): void {
    const slice = this.#slices[dimension]
    if (slice === undefined || remaining >= this.#view.available(now, dimension)) return
    this.#view.lower(now, dimension, remaining)
    this.#own.lower(now, dimension, remaining / this.#instances)
    this.#emptied[dimension] = (slice.burst - remaining) * slice.msPerToken
    this.#schedule()
  }

  available(now: number, dimension: number): number {
    if (this.#mode !== 'alone') {
      const { stock = 0 } = this.#slices[dimension] ?? {}
      return this.#view.available(now, dimension) + stock
    }
    return this.#isOpen ? Number.POSITIVE_INFINITY : this.#own.available(now, dimension)
  }

  replenish(now: number, costs: Costs): void {
    if (this.#mode !== 'alone' && this.#hooks.demand().first === undefined) {
      for (const [at, slice] of this.#slices.entries()) {
        slice.want(costs[at] as number, this.#instances)
      }
    }
    this.#schedule(this.#isStale(now))
  }

  refused(now: number): void {
    if (this.#isStale(now)) this.#schedule(true)
  }

  refusedFor(now: number): number {
    const isClosed = this.#mode === 'alone' && this.#options.whenDown === 'closed'
    return isClosed ? Math.max(1, Math.ceil(this.#probeAt - now)) : 0
  }

  paused(now: number, ms: number): void {
    this.#pauseUntil = now + ms
    this.#schedule()
  }

  /** Gives back what is unused, and its place among the members. Nobody waits for it. */
  close(now: number): void {
    this.#isClosed = true
    this.#options.clock.clearTimeout(this.#upkeep)
    if (this.#mode !== 'shared') return
    const asked = this.#slices.map((slice) => ({ charge: slice.clear(), least: 0, most: 0 }))
    this.#calls.ask(this.#keys, this.#argumentsFor(now, asked, 0), false, () => {}).catch(() => {})
  }

  #waitAlone(now: number, costs: Costs, ahead: Costs | undefined): number {
    const { whenDown = 'local-share' } = this.#options
    if (whenDown === 'local-share') return this.#own.wait(now, costs, ahead)
    return whenDown === 'open' ? 0 : Number.POSITIVE_INFINITY
  }

  get #isOpen(): boolean {
    return this.#options.whenDown === 'open'
  }

  /** Redis should hear of something, or somebody could not go. */
  get #isShort(): boolean {
    return this.#slices.some(({ owed, tried }) => owed > 0 || tried > 0)
  }

  /** Less is at hand than will soon be used. */
  get #isLow(): boolean {
    return this.#slices.some((slice) => slice.isLow(this.#instances))
  }

  /** What is known may have changed: others give back what they did not use. */
  #isStale(now: number): boolean {
    return now - this.#heardAt >= UPKEEP_MS
  }

  #isComing(now: number): boolean {
    return this.#comingAt > now
  }

  #arrive(now: number): void {
    if (this.#comingAt === Number.NEGATIVE_INFINITY || this.#isComing(now)) return
    for (const slice of this.#slices) slice.arrive()
    this.#comingAt = Number.NEGATIVE_INFINITY
  }

  /** As if no other process took anything. */
  #leastWait(now: number, costs: Costs, ahead: Costs): number {
    const beyond = this.#slices.map(
      ({ stock, coming }, at) => (ahead[at] as number) - stock - coming,
    )
    return this.#view.wait(now, costs, beyond)
  }

  #mayTakeOnCredit(now: number, costs: Costs): boolean {
    return this.#slices.every((slice, at) => {
      const missing = slice.missing(costs[at] as number)
      if (missing === 0) return true
      const ofAll = (slice.owed + missing) * this.#instances
      const available = this.#view.available(now, at)
      return ofAll <= available * UNSEEN_SHARE || (slice.owed === 0 && ofAll <= available)
    })
  }

  /**
   * Asks Redis at the end of this turn, so that one question serves all that happens in it.
   * @param isNews whether it is worth a question while what was asked for is still to come
   */
  #schedule(isNews = false): void {
    if (this.#isScheduled || this.#isClosed) return
    const now = this.#options.clock.now()
    if (this.#calls.isOwed(now) || (this.#mode === 'alone' && now < this.#probeAt)) return
    // What is coming comes first; only news cannot wait.
    if (this.#isComing(now) && !isNews && !this.#hasNews(now)) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      if (!this.#isClosed) this.#ask()
    })
  }

  #hasNews(now: number): boolean {
    return this.#pauseUntil > now || this.#emptied.some((ms) => ms > 0)
  }

  #ask(): void {
    const { clock } = this.#options
    const now = clock.now()
    const { first, all } = this.#hooks.demand()
    // Before they have met, or while it is not sure that Redis is back, nothing is taken from it.
    const isShared = this.#mode === 'shared'
    const isComing = this.#isComing(now)
    const asked = this.#slices.map((slice, at) => {
      if (!isShared) return { charge: 0, least: 0, most: 0 }
      slice.measure(now)
      const queued = all[at] as number
      if (isComing) return slice.settle(queued, this.#instances)
      return slice.ask(first?.[at] ?? 0, queued, this.#instances)
    })
    const args = this.#argumentsFor(now, asked, MEMBER_MS)
    const toldOf = this.#pauseUntil
    const late = (reply: readonly (string | number)[]): void =>
      this.#answeredLate(clock.now(), asked, reply.map(Number))
    this.#calls.ask(this.#keys, args, first !== undefined, late).then(
      (reply) => {
        // Until then it may have to be told again.
        if (this.#pauseUntil === toldOf) this.#pauseUntil = Number.NEGATIVE_INFINITY
        this.#answered(clock.now(), reply.map(Number))
      },
      (error: unknown) => this.#failed(clock.now(), asked, error),
    )
  }

  #argumentsFor(now: number, asked: readonly Asked[], memberMs: number): (string | number)[] {
    const pauseMs = Math.max(0, this.#pauseUntil - now)
    const args: (string | number)[] = [this.#member, memberMs, pauseMs]
    for (const [at, { msPerToken, burst }] of this.#slices.entries()) {
      const { charge, least, most } = asked[at] as Asked
      const known = this.#mode === 'shared' ? this.#view.available(now, at) : burst
      args.push(this.#options.plan.names[at] as string, msPerToken, burst)
      args.push(charge, least, most, known, this.#emptied[at] as number)
      this.#emptied[at] = 0
    }
    return args
  }

  #answered(now: number, reply: readonly number[]): void {
    const [members = 0, pauseMs = 0, readyMs = 0] = reply
    if (reply.length !== 3 + 2 * this.#slices.length || reply.some(Number.isNaN)) {
      this.#goOnAlone(now, 'the reply of Redis was not understood')
      return
    }
    this.#instances = Math.max(members, this.#options.instances ?? 1)
    this.#heardAt = now
    let isSlice = false
    for (const [at, slice] of this.#slices.entries()) {
      slice.coming += reply[3 + 2 * at] as number
      isSlice ||= slice.coming > 0
      this.#view.fullIn(now, at, reply[4 + 2 * at] as number)
    }
    if (isSlice) this.#comingAt = Math.max(this.#comingAt, now + readyMs)
    this.#arrive(now)
    if (this.#mode !== 'shared') this.#share(now)
    if (pauseMs > 0) this.#hooks.pause(now, pauseMs)
    this.#hooks.wake(now)
    // Where there was nothing to have, it is no use to ask again at once.
    const isMoreToHave = isSlice && this.#isLow
    if (this.#isShort || isMoreToHave || this.#hasNews(now)) this.#schedule()
    this.#keepUp()
  }

  #failed(now: number, asked: readonly Asked[], error: unknown): void {
    for (const [at, slice] of this.#slices.entries()) {
      slice.owed += Math.max(0, asked[at]?.charge ?? 0)
    }
    this.#goOnAlone(now, error instanceof Error ? error.message : 'Redis failed')
  }

  /** What was given up for lost is in the books of Redis after all: this process has it to use. */
  #answeredLate(now: number, asked: readonly Asked[], reply: readonly number[]): void {
    for (const [at, { charge }] of asked.entries()) {
      const known = Math.max(0, charge) + (reply[3 + 2 * at] as number)
      if (known > 0) this.charge(now, at, -known)
    }
    // It is there, so whoever comes next need not wait to look for it.
    this.#probeAt = now
  }

  #share(now: number): void {
    if (this.#mode === 'alone') {
      for (const [at, slice] of this.#slices.entries()) {
        const missing = this.#own.missing(now, at)
        // Who asked for no limit is not blocked for what went without one: it begins with nothing.
        slice.charge(this.#isOpen ? Math.min(missing, slice.burst) : missing)
      }
    }
    this.#mode = 'shared'
    this.#greetings = Number.POSITIVE_INFINITY
    this.#tell()
  }

  #goOnAlone(now: number, cause: string): void {
    this.#probeAt = now + PROBE_MS
    this.#greetAgain()
    if (this.#isClosed || this.#mode === 'alone') return
    const { rates } = this.#options.plan
    this.#own = new TokenBuckets(rates, 1 / this.#instances)
    for (const [at, slice] of this.#slices.entries()) {
      // A share of the bucket is full when the whole of it would be.
      this.#own.fullIn(now, at, this.#view.missing(now, at) * slice.msPerToken)
      this.#own.charge(now, at, slice.clear())
    }
    this.#comingAt = Number.NEGATIVE_INFINITY
    this.#mode = 'alone'
    this.#tell(cause)
    this.#hooks.wake(now)
  }

  /** So that the first call of a process that has just started finds its slice of the limit. */
  #greetAgain(): void {
    if (this.#isClosed || this.#upkeep !== undefined || ++this.#greetings > MOST_GREETINGS) return
    this.#upkeep = this.#options.clock.setTimeout(
      () => {
        this.#upkeep = undefined
        this.#schedule()
        // The first answer may still be owed.
        if (!this.#isScheduled) this.#greetAgain()
      },
      PROBE_MS,
      { unref: true },
    )
  }

  #tell(cause?: string): void {
    const { name, events } = this.#options
    const state = this.#mode === 'alone' ? 'alone' : 'shared'
    if (events.has('redis'))
      events.emit('redis', { name, state, ...(cause !== undefined && { cause }) })
  }

  /** While anything is leased or owed, looks now and then whether it is still needed. */
  #keepUp(): void {
    if (this.#upkeep !== undefined || this.#isClosed || !this.#slices.some(isUnsettled)) return
    const { clock } = this.#options
    this.#upkeep = clock.setTimeout(() => this.#lookAfter(clock.now()), UPKEEP_MS, { unref: true })
  }

  #lookAfter(now: number): void {
    this.#upkeep = undefined
    if (this.#mode !== 'shared') return
    this.#arrive(now)
    // What is far off may be there sooner, when others give something back.
    const isFar = this.#comingAt - now > UPKEEP_MS
    let isDue = isFar && this.#hooks.demand().first !== undefined
    for (const slice of this.#slices) {
      slice.measure(now)
      isDue ||= slice.owed > 0 || slice.stock > slice.reserve(this.#instances)
    }
    if (isDue) this.#schedule(true)
    this.#keepUp()
  }
}
