import { afterEach, expect } from 'vitest'
import { type Cache, type CacheOptions, createCache, type LoadContext } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

export interface OriginCall<V> {
  readonly id: string
  /** Where the origin was wrapped with `context: true`. */
  readonly context: LoadContext<V> | undefined
  readonly ended: boolean
  answer(value: V): void
  fail(error: unknown): void
}

/** An origin under the control of a test: each call waits until it is answered, unless told how to reply. */
export class Origin<V = string> {
  readonly calls: OriginCall<V>[] = []
  #reply: ((id: string, count: number) => V | PromiseLike<V>) | undefined

  constructor(reply?: (id: string, count: number) => V | PromiseLike<V>) {
    this.#reply = reply
    origins.push(this as Origin<unknown>)
  }

  get count(): number {
    return this.calls.length
  }

  /** Calls that were not answered yet, the oldest first. */
  get waiting(): OriginCall<V>[] {
    return this.calls.filter((call) => !call.ended)
  }

  /** From now on calls wait. */
  hold(): void {
    this.#reply = undefined
  }

  /** From now on calls are answered at once. */
  replyWith(reply: (id: string, count: number) => V | PromiseLike<V>): void {
    this.#reply = reply
  }

  failWith(error: unknown): void {
    this.#reply = () => {
      throw error
    }
  }

  /** Answers the call that has waited longest. */
  async answer(value: V): Promise<void> {
    this.#oldest().answer(value)
    await settle()
  }

  async fail(error: unknown): Promise<void> {
    this.#oldest().fail(error)
    await settle()
  }

  readonly load = (id = ''): Promise<V> => this.#begin(id, undefined)

  readonly loadWithContext = (context: LoadContext<V>, id = ''): Promise<V> =>
    this.#begin(id, context)

  #oldest(): OriginCall<V> {
    const call = this.waiting[0]
    if (!call) throw new Error('no call of the origin is waiting')
    return call
  }

  async #begin(id: string, context: LoadContext<V> | undefined): Promise<V> {
    const { promise, resolve, reject } = Promise.withResolvers<V>()
    const call = {
      id,
      context,
      ended: false,
      answer: (value: V) => {
        call.ended = true
        resolve(value)
      },
      fail: (error: unknown) => {
        call.ended = true
        reject(error)
      },
    }
    this.calls.push(call)
    if (!this.#reply) return promise
    call.ended = true
    return this.#reply(id, this.calls.length)
  }
}

const origins: Origin<unknown>[] = []

/** Replies at once with `v1`, `v2` … */
export function versions(): Origin {
  return new Origin((_, count) => `v${count}`)
}

/** What a promise has come to so far. */
export interface Watched<T> {
  state: 'pending' | 'fulfilled' | 'rejected'
  value: T | undefined
  error: unknown
}

/** Follows a promise without waiting for it. */
export function watch<T>(promise: PromiseLike<T>): Watched<T> {
  const watched: Watched<T> = { state: 'pending', value: undefined, error: undefined }
  promise.then(
    (value) => {
      watched.state = 'fulfilled'
      watched.value = value
    },
    (error: unknown) => {
      watched.state = 'rejected'
      watched.error = error
    },
  )
  return watched
}

const worlds: World[] = []

/** One clock and the caches that live by it: one for each process of a test. */
export class World {
  readonly clock = new FakeClock(1_000_000)
  readonly caches: Cache[] = []
  #withL2 = false

  constructor() {
    worlds.push(this)
  }

  /** A cache without surprises: exact ttl of 10 s, no refresh-ahead, a constant for chance. */
  cache(options: CacheOptions = {}): Cache {
    const cache = createCache({
      clock: this.clock,
      // Nearly a constant: two processes must not make the same lease tokens.
      random: constant(0.5 + this.caches.length / 1e6),
      jitter: 0,
      refreshAhead: false,
      ttl: '10s',
      ...(options.l2 ? { name: 'test' } : {}),
      ...options,
    })
    if (options.l2) this.#withL2 = true
    this.caches.push(cache)
    return cache
  }

  /** Ends everything; what then still waits on the clock was left behind. */
  async end(): Promise<void> {
    await settle()
    const isIdle = !this.#withL2 && origins.every((origin) => origin.waiting.length === 0)
    if (isIdle) expect(this.clock.pending, 'timers while nothing is under way').toBe(0)
    const closings = this.caches.map((cache) => cache.close({ deadline: 0 }))
    // Longer than the renewal of a lease, which finds out by itself that it is not needed any more.
    await this.clock.advance('2s')
    await Promise.all(closings)
    expect(this.clock.pending, 'timers after close()').toBe(0)
  }
}

function constant(value: number): () => number {
  return () => value
}

export function aWorld(): World {
  return new World()
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}

/** Call once in each file: no test leaves a timer behind. */
export function endWorldsAfterEach(): void {
  afterEach(async () => {
    const ended = worlds.splice(0)
    try {
      for (const world of ended) await world.end()
    } finally {
      origins.length = 0
    }
  })
}

/** The code of the library's error that a promise rejects with. */
export async function codeOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return (error as { code?: unknown }).code
  }
  return 'it resolved'
}

/** All reads that were answered, by where the answer came from. */
export function readsOf(stats: {
  hits: { l1: number; l2: number }
  stale: number
  misses: number
}): number {
  return stats.hits.l1 + stats.hits.l2 + stats.stale + stats.misses
}
