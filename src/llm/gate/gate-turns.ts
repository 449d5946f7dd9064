import type { Clock } from '../../contracts/clock.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import { PassingMap } from '../../kernel/passing-map.ts'
import type { GateStats } from './gate-stats.ts'
import { type GateWaiter, waitAtGate } from './gate-waiter.ts'
import { WarmPrefixes } from './warm-prefixes.ts'

export interface GateSettings {
  readonly commitLagMs: number
  readonly minTokens: number
  readonly warmForMs: number
  readonly clock: Clock
}

interface Caller {
  readonly maxWaitMs: number
  readonly tokens: number
  readonly isWarm: boolean
  readonly signal: AbortSignal | undefined
}

type Task<T> = (onFirstByte: () => void) => PromiseLike<T> | T

/** A prefix that somebody writes, and those who wait for it, first come first. */
interface Line {
  /** Who leads; `undefined`: it is written, and becomes readable in a moment. */
  leader: object | undefined
  readonly waiters: Set<GateWaiter>
}

/** Decides who of the callers with one prefix begins when. */
export class GateTurns {
  readonly stats = { led: 0, waited: 0, passed: 0, timedOut: 0, promoted: 0 } satisfies GateStats
  readonly #settings: GateSettings
  readonly #warm = new WarmPrefixes()
  readonly #lines = new PassingMap<string, Line>()

  constructor(settings: GateSettings) {
    this.#settings = settings
  }

  async run<T>(prefixId: string, task: Task<T>, caller: Caller): Promise<T> {
    const { signal } = caller
    if (signal?.aborted) throw abortedError(signal)
    if (caller.tokens < this.#settings.minTokens) {
      this.stats.passed++
      return task(nothing)
    }
    const now = this.#settings.clock.now()
    const readyAt = caller.isWarm ? now : this.#warm.readyAt(prefixId, now)
    if (readyAt !== undefined && readyAt <= now) {
      this.stats.passed++
      return this.#begin(prefixId, task)
    }
    const line = this.#lines.get(prefixId) ?? this.#openLine(prefixId)
    if (readyAt !== undefined || line.leader !== undefined) {
      return this.#wait(prefixId, task, caller, line)
    }
    const leader = {}
    line.leader = leader
    return this.#lead(prefixId, task, signal, line, leader)
  }

  #openLine(prefixId: string): Line {
    const line: Line = { leader: undefined, waiters: new Set() }
    this.#lines.set(prefixId, line)
    return line
  }

  /** Whoever gets an answer has written the prefix or read it, leader or not. */
  async #begin<T>(prefixId: string, task: Task<T>, leader?: object): Promise<T> {
    const startedAt = this.#settings.clock.now()
    let isTold = false
    const onFirstByte = () => {
      if (isTold) return
      isTold = true
      this.#written(prefixId, startedAt, leader)
    }
    const result = await task(onFirstByte)
    onFirstByte()
    return result
  }

  async #lead<T>(
    prefixId: string,
    task: Task<T>,
    signal: AbortSignal | undefined,
    line: Line,
    leader: object,
  ): Promise<T> {
    this.stats.led++
    const giveUp = () => this.#leave(prefixId, line, leader)
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      return await this.#begin(prefixId, task, leader)
    } finally {
      signal?.removeEventListener('abort', giveUp)
      // After an answer somebody else leads by now, or nobody.
      giveUp()
    }
  }

  async #wait<T>(prefixId: string, task: Task<T>, caller: Caller, line: Line): Promise<T> {
    this.stats.waited++
    const { clock } = this.#settings
    const waiter = waitAtGate(clock, caller.maxWaitMs, caller.signal)
    line.waiters.add(waiter)
    const readyAt = this.#warm.readyAt(prefixId, clock.now())
    if (readyAt !== undefined) waiter.readyAt(readyAt)
    const turn = await waiter.turn
    line.waiters.delete(waiter)
    if (caller.signal?.aborted) {
      // It may have been promoted a moment before.
      this.#leave(prefixId, line, waiter)
      this.#closeIfOver(prefixId, line)
      throw abortedError(caller.signal)
    }
    if (turn === 'lead') {
      this.stats.promoted++
      return this.#lead(prefixId, task, caller.signal, line, waiter)
    }
    this.#closeIfOver(prefixId, line)
    if (turn === 'timed-out') this.stats.timedOut++
    return this.#begin(prefixId, task)
  }

  #written(prefixId: string, startedAt: number, leader: object | undefined): void {
    const { clock, commitLagMs, warmForMs } = this.#settings
    const now = clock.now()
    // Providers count the lifetime from the start of the request.
    this.#warm.add(prefixId, { readyAt: now + commitLagMs, until: startedAt + warmForMs }, now)
    const line = this.#lines.get(prefixId)
    if (line === undefined) return
    // Another than the leader may have been quicker; the leader goes on.
    if (line.leader === leader) line.leader = undefined
    for (const waiter of line.waiters) waiter.readyAt(now + commitLagMs)
    this.#closeIfOver(prefixId, line)
  }

  /** The leader has brought nothing: the one who has waited longest takes its place. */
  #leave(prefixId: string, line: Line, leader: object): void {
    if (line.leader !== leader) return
    line.leader = undefined
    for (const waiter of line.waiters) {
      line.waiters.delete(waiter)
      if (!waiter.lead()) continue
      // Until it begins, the place is taken: who comes meanwhile waits.
      line.leader = waiter
      return
    }
    this.#closeIfOver(prefixId, line)
  }

  #closeIfOver(prefixId: string, line: Line): void {
    if (line.leader !== undefined || line.waiters.size > 0) return
    if (this.#lines.get(prefixId) === line) this.#lines.delete(prefixId)
  }
}

function nothing(): void {}

function abortedError(signal: AbortSignal): ResilienceError {
  return new ResilienceError(
    'ERR_ABORTED',
    'the wait for the first call with this prefix was aborted by its signal',
    { cause: signal.reason },
  )
}
