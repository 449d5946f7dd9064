import { createCache, memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const TTL_MS = 1000
export const GRACE_MS = 60_000
const HARD_MS = 2000
const SLOW_MS = 900
const DEADLINE_MS = 50

export type Answers = 'ok' | 'fails' | 'slowly' | 'never'
export type Trouble = 'throws' | 'hangs' | 'late'
export type Call = 'call' | 'detail' | 'many' | 'with signal'

export interface Options {
  readonly softTimeout: number
  readonly completeInBackground: boolean
  readonly refreshAhead: number | false
  readonly graceBackoff: number
  readonly l1Ttl: number
  readonly withL2: boolean
}

/** A cached function that has a value, an origin and an L2 that may fail, and a watch on its reads. */
export class StaleReader {
  readonly clock = new FakeClock(1000)
  answers: Answers = 'ok'
  /** Reads that rejected or took too long. */
  readonly late: string[] = []
  waiting = 0
  readonly bound: number
  readonly #chaos = chaosStore(memory())
  readonly #cache: ReturnType<typeof createCache>
  readonly #fn: ReturnType<StaleReader['wrap']>

  constructor({ l1Ttl, withL2, ...options }: Options) {
    this.bound = options.softTimeout + DEADLINE_MS
    this.#cache = createCache({
      name: 'available',
      clock: this.clock,
      random: () => 0.5,
      jitter: 0,
      l1: { ttl: l1Ttl },
      l2: withL2 && this.#chaos,
      ttl: TTL_MS,
      grace: GRACE_MS,
      hardTimeout: HARD_MS,
      ...options,
    })
    this.#fn = this.wrap()
  }

  wrap() {
    return this.#cache.cached(() => this.#load(), { name: 'fn', tags: () => ['tag'] })
  }

  async start(): Promise<void> {
    await this.#fn()
    await this.clock.advance(1)
  }

  read(how: Call): void {
    const calls = {
      call: () => this.#fn(),
      detail: () => this.#fn.detail(),
      many: () => this.#fn.many([[]]),
      'with signal': () => this.#fn.with({ signal: new AbortController().signal })(),
    }
    const startedAt = this.clock.now()
    this.waiting++
    calls[how]().then(
      () => {
        this.waiting--
        const took = this.clock.now() - startedAt
        if (took > this.bound) this.late.push(`${how} took ${took} ms`)
      },
      (error: unknown) => {
        this.waiting--
        this.late.push(`${how} rejected: ${error}`)
      },
    )
  }

  /** Shows its failure to who asked for it; that is not what this is about. */
  refresh(): void {
    this.#fn.refresh().catch(() => {})
  }

  async expire(): Promise<void> {
    await this.#cache.expireTag('tag')
  }

  troubleL2(trouble: Trouble | undefined): void {
    this.#chaos.set({ throws: 0, hangs: 0, late: 0 })
    if (trouble) this.#chaos.set({ [trouble]: 1 })
  }

  async close(): Promise<void> {
    await Promise.all([this.#cache.close({ deadline: 0 }), this.clock.advance('10s')])
  }

  async #load(): Promise<string> {
    if (this.answers === 'fails') throw new Error('the origin failed')
    if (this.answers === 'never') return new Promise(() => {})
    if (this.answers === 'slowly') {
      await new Promise<void>((resolve) => {
        this.clock.setTimeout(resolve, SLOW_MS)
      })
    }
    return 'value'
  }
}
