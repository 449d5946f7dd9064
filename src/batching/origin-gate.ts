import type { Clock, Timer } from '../contracts/clock.ts'
import { JoinedSignal } from './joined-signal.ts'
import { cut, type Limits } from './limits.ts'
import { afterPromiseJobs } from './promise-jobs.ts'
import { type Asking, type Outcome, Rejection, type Source } from './source.ts'

/** Of the store: a question that is under way. */
export interface Question {
  readonly askedAt: number
}

interface Call<K, V> {
  readonly keys: K[]
  readonly askers: Asking[]
  /** Questions whose misses it waits for. */
  readonly awaited: Set<Question>
  timer: Timer
  readonly outcomes: PromiseWithResolvers<ReadonlyArray<Outcome<V>>>
}

/** Another question is waited for as long as the own one took, and never longer than that. */
const LONGEST_WAIT_MS = 5

/**
 * Between the store and the batch function. A key that comes while the store is asked for others asks
 * the store too, and its miss shall still go with theirs: so the first misses wait for the questions
 * that are under way, as long as they themselves have waited for the store, 5 ms at most. Where none
 * is under way they wait for nothing.
 */
export class OriginGate<K, V> {
  readonly #source: Source<K, V>
  readonly #limits: Limits<K>
  readonly #clock: Clock
  readonly #questions = new Set<Question>()
  #next: Call<K, V> | undefined

  constructor(source: Source<K, V>, limits: Limits<K>, clock: Clock) {
    this.#source = source
    this.#limits = limits
    this.#clock = clock
  }

  /** The store is asked. */
  ask(): Question {
    const question = { askedAt: this.#clock.now() }
    this.#questions.add(question)
    return question
  }

  /** It has answered, or failed. */
  answered(question: Question): void {
    if (!this.#questions.delete(question)) return
    const next = this.#next
    if (next?.awaited.delete(question) && next.awaited.size === 0) this.#go(next)
  }

  /** Keys that the store does not have. @param question the one that has shown it, if one did */
  async load(
    keys: readonly K[],
    asking: Asking,
    question?: Question,
  ): Promise<ReadonlyArray<Outcome<V>>> {
    const call = this.#next ?? this.#begin(question)
    const from = call.keys.length
    call.keys.push(...keys)
    call.askers.push(asking)
    if (question !== undefined) this.answered(question)
    const outcomes = await call.outcomes.promise
    return outcomes.slice(from, from + keys.length)
  }

  #begin(question: Question | undefined): Call<K, V> {
    const awaited = new Set(this.#questions)
    if (question !== undefined) awaited.delete(question)
    const call: Call<K, V> = {
      keys: [],
      askers: [],
      awaited,
      timer: undefined,
      outcomes: Promise.withResolvers(),
    }
    this.#next = call
    if (awaited.size === 0) {
      this.#go(call)
    } else {
      const tookMs = question === undefined ? 0 : this.#clock.now() - question.askedAt
      const waitMs = Math.min(Math.max(tookMs, 1), LONGEST_WAIT_MS)
      call.timer = this.#clock.setTimeout(() => this.#go(call), waitMs)
    }
    return call
  }

  /** Not at once: replies that came together bring their misses one after the other. */
  #go(call: Call<K, V>): void {
    this.#clock.clearTimeout(call.timer)
    call.awaited.clear()
    afterPromiseJobs(() => {
      if (this.#next === call) this.#next = undefined
      call.outcomes.resolve(this.#call(call))
    })
  }

  /** One call of several: the others do not fail with it. */
  async #part(keys: readonly K[], asking: Asking): Promise<ReadonlyArray<Outcome<V>>> {
    try {
      return await this.#source.read(keys, asking)
    } catch (error) {
      return keys.map(() => new Rejection(error))
    }
  }

  async #call({ keys, askers }: Call<K, V>): Promise<ReadonlyArray<Outcome<V>>> {
    const asking = new JoinedSignal(askers)
    try {
      const groups = cut(keys, this.#limits)
      if (groups.length === 1) return await this.#source.read(keys, asking)
      const parts = groups.map((group) => this.#part(group, asking))
      return (await Promise.all(parts)).flat()
    } finally {
      asking.done()
    }
  }
}
