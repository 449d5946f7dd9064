import type { Clock } from '../../contracts/clock.ts'
import type { Permit, Refusal } from '../../contracts/permit.ts'
import type { Cost, RunOptions } from '../../contracts/runner.ts'
import { Deferred } from '../../kernel/deferred.ts'
import type { Events } from '../../kernel/events.ts'
import { invalidOption } from '../../kernel/options.ts'
import { unabortedSignal } from '../../kernel/unaborted-signal.ts'
import { Alarm } from './alarm.ts'
import type { Budget } from './budget.ts'
import { Caller } from './caller.ts'
import type { CostPlan, Costs } from './cost-plan.ts'
import { HeldPermit } from './held-permit.ts'
import { limiterClosed, type RejectReason, rateLimited, waitAborted } from './limiter-errors.ts'
import type { RateLimiterEvents } from './limiter-events.ts'
import type { QueueSettings } from './limiter-options.ts'
import { Slots } from './slots.ts'
import { WaitingLine } from './waiting-line.ts'

/** What the engine is made of. */
export interface EngineParts {
  readonly name: string
  readonly plan: CostPlan
  readonly queue: QueueSettings
  readonly clock: Clock
  readonly events: Events<RateLimiterEvents>
  readonly maxPauseMs: number
}

/** Timers may ring late by so much: whose turn comes just at the end of its wait still goes. */
const LATE_MS = 5

/** A shared pause is news when it is longer by more than that. */
const PAUSE_STEP_MS = 50

/**
 * Decides who goes when. The rates are a {@link Budget}'s, what is in flight is counted here, and those
 * who cannot go yet stand in one line: whoever comes while others wait goes behind them, so that a large
 * cost is not overtaken for ever by small ones. One timer runs for the first of the line; none when
 * nobody waits.
 *
 * Longer than other files: who waits, who goes and who is refused is one decision.
 */
export class LimiterEngine {
  readonly counts = { acquired: 0, waited: 0, rejected: 0, aborted: 0 }
  readonly #parts: EngineParts
  readonly #budget: Budget
  readonly #slots: Slots
  readonly #line: WaitingLine<Caller>
  readonly #alarm: Alarm
  #pausedUntil = Number.NEGATIVE_INFINITY
  #running = 0
  #isClosed = false
  #drained: Deferred<void> | undefined

  constructor(parts: EngineParts, budgetFor: (engine: LimiterEngine) => Budget) {
    this.#parts = parts
    this.#slots = new Slots(parts.plan.slots, parts.plan.rates.length)
    this.#line = new WaitingLine(parts.queue.ageingMs)
    this.#alarm = new Alarm(parts.clock, (now) => this.serve(now))
    this.#budget = budgetFor(this)
  }

  tryAcquire(cost?: Cost): Permit | Refusal {
    if (this.#isClosed) throw limiterClosed(this.#parts.name)
    const costs = this.#parts.plan.of(cost)
    const now = this.#parts.clock.now()
    if (this.#takeNow(now, costs)) return new HeldPermit(this, costs, now)
    // Only where it is the rates that it lacks.
    const isShort = this.#line.size === 0 && this.#pausedUntil <= now && this.#slots.fit(costs)
    if (isShort) this.#budget.replenish(now, costs)
    const retryAfterMs = this.#retryAfter(now, costs, Number.NEGATIVE_INFINITY)
    this.#countRejection('not-now', retryAfterMs)
    return { ok: false, retryAfterMs }
  }

  /** Nothing is counted where there is none: whoever asks goes on to wait. */
  acquireNow(cost?: Cost): Permit | undefined {
    const costs = this.#costsOf(cost, undefined)
    const now = this.#parts.clock.now()
    return this.#takeNow(now, costs) ? new HeldPermit(this, costs, now) : undefined
  }

  acquire(cost: Cost | undefined, options: RunOptions | undefined): Promise<HeldPermit> {
    try {
      const costs = this.#costsOf(cost, options)
      const now = this.#parts.clock.now()
      this.#refuseEnded(options?.signal)
      if (this.#takeNow(now, costs)) return Promise.resolve(new HeldPermit(this, costs, now))
      return this.#wait(now, costs, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async run<T>(
    task: (signal: AbortSignal) => PromiseLike<T> | T,
    options: RunOptions | undefined,
  ): Promise<T> {
    const costs = this.#costsOf(options?.cost, options)
    const now = this.#parts.clock.now()
    this.#refuseEnded(options?.signal)
    const permit = this.#takeNow(now, costs) ? undefined : await this.#wait(now, costs, options)
    this.#running++
    try {
      return await task(options?.signal ?? unabortedSignal(task))
    } finally {
      this.#running--
      if (permit) permit.release()
      else this.giveBack(costs, now)
    }
  }

  /** Ends what `costs` have held since then, and charges what it cost after all. */
  giveBack(costs: Costs, since: number, actual?: Cost): void {
    const isWatched = this.#slots.exist || this.#line.size > 0 || actual !== undefined
    if (!isWatched) {
      this.#slots.held--
      this.#tellDrained()
      return
    }
    const now = this.#parts.clock.now()
    this.#slots.free(costs, now - since)
    try {
      this.#charge(now, costs, actual)
    } finally {
      this.serve(now)
      this.#tellDrained()
    }
  }

  /** Nobody goes for so long. Whoever cannot wait until then is told at once. */
  pause(now: number, ms: number, source: 'headers' | 'shared'): void {
    const { name, clock, events, maxPauseMs } = this.#parts
    const until = now + Math.min(ms, maxPauseMs)
    // Every reply of Redis tells of the same pause, each a little later.
    const known = source === 'shared' ? this.#pausedUntil + PAUSE_STEP_MS : this.#pausedUntil
    if (this.#isClosed || until <= known) return
    this.#pausedUntil = until
    if (source === 'headers') this.#budget.paused(now, until - now)
    if (events.has('pause')) events.emit('pause', { name, forMs: until - now, source })
    this.serve(clock.now())
  }

  /** What the provider says that is left, where it is less than what is left here. */
  lower(now: number, remaining: readonly (readonly [number, number])[]): void {
    for (const [dimension, amount] of remaining) this.#budget.lower(now, dimension, amount)
  }

  /** Lets all go that can, and sees to it that it is called again when the next can. */
  serve(now: number): void {
    const line = this.#line
    if (line.size === 0) {
      this.#alarm.set(Number.POSITIVE_INFINITY, now)
      return
    }
    const hopeless = Math.max(now - LATE_MS, this.#pausedUntil)
    if (hopeless > line.earliestEnd) this.#endWaits(now, hopeless)
    const refusedFor = this.#budget.refusedFor(now)
    if (refusedFor > 0) this.#rejectAll('no-redis', refusedFor)
    let next = this.#letGo(now)
    if (now >= line.earliestEnd) {
      this.#endWaits(now, now)
      // Whoever is first now may need less.
      next = this.#letGo(now)
    }
    this.#alarm.set(Math.min(next, line.earliestEnd), now)
  }

  /** What those who wait need of the rates: the first, and all of them. */
  get demand(): { readonly first: Costs | undefined; readonly all: Costs } {
    const all = this.#parts.plan.usual.map(() => 0)
    const first = this.#line.next()?.costs
    // Who waits for what is in flight needs no rate yet.
    if (first === undefined || !this.#slots.fit(first)) return { first: undefined, all }
    return { first, all: this.#line.ahead(Number.NEGATIVE_INFINITY, all) }
  }

  get state() {
    const now = this.#parts.clock.now()
    const { names, rates } = this.#parts.plan
    const available = names.map((name, at) => {
      const left =
        at < rates.length
          ? this.#budget.available(now, at)
          : this.#slots.available(at - rates.length)
      return [name, left === Number.POSITIVE_INFINITY ? left : Math.floor(left)] as const
    })
    return {
      waiting: this.#line.size,
      running: this.#running,
      pausedMs: Math.max(0, Math.ceil(this.#pausedUntil - now)),
      available: Object.fromEntries(available) as Record<string, number>,
    }
  }

  drain(): Promise<void> {
    this.#drained ??= new Deferred()
    const { promise } = this.#drained
    this.#tellDrained()
    return promise
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const now = this.#parts.clock.now()
    for (const caller of this.#line.takeEnding(Number.POSITIVE_INFINITY)) {
      caller.leave()
      caller.reject(limiterClosed(this.#parts.name))
    }
    this.#alarm.set(Number.POSITIVE_INFINITY, now)
    this.#budget.close(now)
    this.#tellDrained()
  }

  #costsOf(cost: Cost | undefined, options: RunOptions | undefined): Costs {
    if (this.#isClosed) throw limiterClosed(this.#parts.name)
    return this.#parts.plan.of(cost ?? options?.cost ?? options?.weight)
  }

  #refuseEnded(signal: AbortSignal | undefined): void {
    if (!signal?.aborted) return
    this.counts.aborted++
    throw waitAborted(signal.reason)
  }

  #takeNow(now: number, costs: Costs): boolean {
    if (this.#line.size > 0 || this.#pausedUntil > now || !this.#slots.fit(costs)) return false
    if (this.#budget.wait(now, costs) > 0) return false
    this.#take(now, costs)
    return true
  }

  #take(now: number, costs: Costs): void {
    this.#budget.take(now, costs)
    this.#slots.take(costs)
    this.counts.acquired++
  }

  /** Puts a caller into the line, unless it is known that it waits in vain. */
  #wait(now: number, costs: Costs, options: RunOptions | undefined): Promise<HeldPermit> {
    const { queue, clock } = this.#parts
    const priority = queue.isByPriority ? priorityOf(options) : 0
    const until = Math.min(now + queue.maxWaitMs, options?.deadline ?? Number.POSITIVE_INFINITY)
    const known = this.#knownWait(now, costs, priority, this.#leavesForNewcomer)
    if (known.refusedFor > 0) {
      this.#budget.replenish(now, costs)
      throw this.#rejection('no-redis', known.refusedFor)
    }
    if (until <= now || now + known.ms > until) {
      this.#budget.refused(now)
      throw this.#rejection('too-long', Math.max(1, Math.ceil(known.ms)))
    }
    return new Promise((resolve, reject) => {
      const caller = new Caller([costs, priority, now, until], options?.signal, resolve, reject)
      if (this.#line.size >= queue.max && !this.#makeRoom(now, caller)) return
      caller.onAbort(() => this.#abort(caller))
      this.#line.add(caller)
      this.counts.waited++
      this.serve(clock.now())
    })
  }

  /** Who would make room in a full queue, whoever comes. */
  get #leavesForNewcomer(): Caller | undefined {
    const { overflow, max } = this.#parts.queue
    const isFull = max > 0 && this.#line.size >= max
    return isFull && overflow === 'drop-oldest' ? this.#line.oldest() : undefined
  }

  #knownWait(
    now: number,
    costs: Costs,
    priority: number,
    leaves?: Caller,
  ): { ms: number; refusedFor: number } {
    const refusedFor = this.#budget.refusedFor(now)
    const ahead = this.#line.ahead(
      priority,
      costs.map(() => 0),
    )
    if (leaves !== undefined && leaves.priority >= priority) {
      for (let at = 0; at < ahead.length; at++) {
        ahead[at] = (ahead[at] as number) - (leaves.costs[at] as number)
      }
    }
    const wait = this.#budget.wait(now, costs, ahead)
    // What is in flight may be given back at any time.
    const ms = Math.max(this.#pausedUntil - now, wait === Number.POSITIVE_INFINITY ? 0 : wait)
    return { ms, refusedFor }
  }

  #retryAfter(now: number, costs: Costs, priority: number): number {
    const { ms, refusedFor } = this.#knownWait(now, costs, priority)
    const slotMs = this.#slots.fit(costs) ? 0 : this.#slots.nextFreeMs
    return Math.max(1, Math.ceil(Math.max(ms, refusedFor, slotMs)))
  }

  /** @returns false when it is the newcomer that has to go. */
  #makeRoom(now: number, newcomer: Caller): boolean {
    const { overflow, max } = this.#parts.queue
    let leaves: Caller | undefined
    if (overflow === 'drop-oldest') leaves = this.#line.oldest()
    if (overflow === 'drop-lowest') leaves = this.#line.lowest()
    const isDropped = leaves !== undefined && max > 0 && this.#mayDrop(newcomer, leaves)
    const refused = isDropped ? (leaves as Caller) : newcomer
    if (isDropped) this.#line.remove(refused)
    refused.leave()
    const retryAfterMs = this.#retryAfter(now, refused.costs, refused.priority)
    refused.reject(this.#rejection(isDropped ? 'dropped' : 'queue-full', retryAfterMs))
    return isDropped
  }

  #mayDrop(newcomer: Caller, leaves: Caller): boolean {
    return this.#parts.queue.overflow === 'drop-oldest' || this.#line.overtakes(newcomer, leaves)
  }

  #abort(caller: Caller): void {
    if (!this.#line.remove(caller)) return
    caller.leave()
    this.counts.aborted++
    caller.reject(waitAborted(caller.signal?.reason))
    // Whoever is next now may need less.
    this.serve(this.#parts.clock.now())
    this.#tellDrained()
  }

  /** @returns when the next can go, as far as it is a question of time. */
  #letGo(now: number): number {
    const { name, events } = this.#parts
    for (let first = this.#line.next(); first; first = this.#line.next()) {
      if (this.#pausedUntil > now) return this.#pausedUntil
      if (!this.#slots.fit(first.costs)) return Number.POSITIVE_INFINITY
      const wait = this.#budget.wait(now, first.costs)
      if (wait > 0) {
        this.#budget.replenish(now, first.costs)
        return now + wait
      }
      this.#line.remove(first)
      first.leave()
      this.#take(now, first.costs)
      first.resolve(new HeldPermit(this, first.costs, now))
      if (events.has('acquire')) events.emit('acquire', { name, waitedMs: now - first.since })
    }
    return Number.POSITIVE_INFINITY
  }

  #endWaits(now: number, by: number): void {
    for (const caller of this.#line.takeEnding(by)) {
      caller.leave()
      const retryAfterMs = this.#retryAfter(now, caller.costs, caller.priority)
      caller.reject(this.#rejection(caller.until <= now ? 'waited' : 'too-long', retryAfterMs))
    }
    this.#tellDrained()
  }

  #rejectAll(reason: 'no-redis', retryAfterMs: number): void {
    for (const caller of this.#line.takeEnding(Number.POSITIVE_INFINITY)) {
      caller.leave()
      caller.reject(this.#rejection(reason, retryAfterMs))
    }
    this.#tellDrained()
  }

  #rejection(reason: Exclude<RejectReason, 'not-now'>, retryAfterMs: number) {
    this.#countRejection(reason, retryAfterMs)
    return rateLimited(this.#parts.name, reason, retryAfterMs)
  }

  #countRejection(reason: RejectReason, retryAfterMs: number): void {
    this.counts.rejected++
    const { name, events } = this.#parts
    if (events.has('reject')) events.emit('reject', { name, reason, retryAfterMs })
  }

  #charge(now: number, costs: Costs, actual: Cost | undefined): void {
    if (actual === undefined) return
    const { plan } = this.#parts
    const settled = plan.actual(actual, costs)
    for (let at = 0; at < plan.rates.length; at++) {
      const difference = (settled[at] as number) - (costs[at] as number)
      if (difference !== 0) this.#budget.charge(now, at, difference)
    }
  }

  get #isBusy(): boolean {
    const holds = this.#slots.exist && this.#slots.held > 0
    return this.#line.size > 0 || this.#running > 0 || holds
  }

  #tellDrained(): void {
    if (this.#drained === undefined || this.#isBusy) return
    // A task that was just given its turn begins in this turn of the event loop.
    queueMicrotask(() => {
      if (this.#isBusy) return
      this.#drained?.resolve()
      this.#drained = undefined
    })
  }
}

function priorityOf(options: RunOptions | undefined): number {
  const priority = options?.priority ?? 0
  if (!Number.isFinite(priority)) throw invalidOption('priority must be a number that is finite')
  return priority
}
