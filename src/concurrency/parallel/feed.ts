import type { LimitFunction } from 'p-limit'
import { runUnder } from '../../contracts/runner.ts'
import type { Call } from './call.ts'
import type { Handing, Job, Way } from './job.ts'

/** Where jobs come from. */
export interface Source {
  /** Whether `take` may give another one. */
  readonly hasMore: boolean
  /** `undefined`: none at the moment. */
  take(): Job | undefined
}

type MakeLimit = (concurrency: number) => LimitFunction

/** Empty until it has been loaded. */
const loaded: MakeLimit[] = []

/** Who has one of these is a bulkhead, a rate limiter or a p-limit, and tries nothing again. */
const LIMITS_ONLY = ['tryAcquire', 'pendingCount']

/**
 * Hands the jobs of a source over, each when there is room for it and no earlier: what is not handed
 * over is never started after a failure, an iterable is read no faster than it is worked off, and the
 * queue of a shared limit holds one job of a call and not thousands.
 *
 * `concurrency` is held by a p-limit of this call's own, which is loaded when something has to wait
 * for the first time. A `limit` holds itself: of what waits in there nothing is known but that it has
 * not started, so the next job follows when it has.
 */
export class Feed implements Handing {
  readonly #call: Call
  readonly #source: Source
  readonly #concurrency: number
  readonly #inLimit: Way | undefined
  /** Where `concurrency` is finite and p-limit not there yet: those that run. */
  readonly #direct = new Set<PromiseLike<void>>()
  #own: LimitFunction | undefined
  #inOwn: Way | undefined
  #isLoading = false
  /** Waits in `limit`. */
  #ahead: Job | undefined
  #isPumping = false

  constructor(call: Call, source: Source, concurrency: number | undefined) {
    this.#call = call
    this.#source = source
    this.#concurrency = concurrency ?? Number.POSITIVE_INFINITY
    const { limit } = call.settings
    if (limit) {
      this.#inLimit = {
        pass: (begin, signal) => runUnder(limit, begin, () => signal),
        once: LIMITS_ONLY.some((member) => member in limit),
      }
    }
  }

  pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.#isWanted && this.#source.hasMore) {
      if (!this.#hasRoom()) break
      const job = this.#source.take()
      if (!job) break
      if (!job.isOver) this.#hand(job)
    }
    this.#isPumping = false
  }

  // Before the task itself runs: what it does to the async context is not for the next one.
  started(job: Job): void {
    this.freed(job)
  }

  freed(job: Job): void {
    if (this.#ahead === job) this.#ahead = undefined
    this.pump()
  }

  get #isWanted(): boolean {
    return !this.#call.over && !this.#call.expired
  }

  #hasRoom(): boolean {
    if (this.#concurrency === Number.POSITIVE_INFINITY) return this.#ahead === undefined
    if (!this.#own) {
      if (this.#direct.size < this.#concurrency) return true
      this.#useOwn()
      return false
    }
    return this.#own.activeCount + this.#own.pendingCount < this.#concurrency
  }

  #hand(job: Job): void {
    if (this.#concurrency === Number.POSITIVE_INFINITY) {
      if (this.#inLimit) this.#ahead = job
      void job.submit(this.#inLimit, this)
    } else if (this.#inOwn !== undefined) {
      void job.submit(this.#inOwn, this)
    } else {
      const settled = job.submit(this.#inLimit, this)
      if (settled !== undefined) this.#watch(settled)
    }
  }

  #watch(settled: PromiseLike<void>): void {
    this.#direct.add(settled)
    void settled.then(() => {
      this.#direct.delete(settled)
      this.pump()
    })
  }

  #useOwn(): void {
    const [make] = loaded
    if (make === undefined) {
      if (!this.#isLoading) void this.#load()
      return
    }
    const own = make(this.#concurrency)
    const inLimit = this.#inLimit
    this.#own = own
    this.#inOwn = inLimit
      ? {
          pass: (begin, signal) => own(() => inLimit.pass(begin, signal)),
          once: inLimit.once,
        }
      : { pass: own, once: true }
    // Those that run already hold their places.
    for (const settled of this.#direct) void own(() => settled).then(() => this.pump())
  }

  async #load(): Promise<void> {
    this.#isLoading = true
    try {
      loaded[0] = (await import('p-limit')).default
      if (!this.#call.over) this.#useOwn()
      this.pump()
    } catch (error) {
      this.#call.fail(error)
    }
  }
}
