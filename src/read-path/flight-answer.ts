import { Deferred } from '../kernel/deferred.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { emitStale } from './emit-stale.ts'
import type { Outcome } from './outcome.ts'
import type { Region } from './region.ts'

/**
 * What the callers of one load are answered with, and how their reads are counted. They come in
 * waves: those who come after an answer, while the load goes on, wait for one of their own.
 */
export class FlightAnswer {
  /** How many of this wave are waiting. */
  callers = 0
  given = false
  readonly #region: Region
  readonly #key: LocalKey
  #wave = new Deferred<Outcome>()

  constructor(region: Region, key: LocalKey) {
    this.#region = region
    this.#key = key
  }

  get promise(): Promise<Outcome> {
    return this.#wave.promise
  }

  resolve(outcome: Outcome): void {
    if (this.given) return
    const { callers } = this
    const { source, kind } = outcome
    this.#end()
    if (source === 'stale') {
      for (let i = 0; i < callers; i++) emitStale(this.#region, this.#key, kind)
    }
    this.#region.count(source, callers)
    this.#wave.resolve(outcome)
  }

  reject(error: unknown): void {
    if (this.given) return
    this.#region.misses += this.callers
    this.#end()
    this.#wave.reject(error)
  }

  /** Those who come from now on are answered apart from those before them. */
  nextWave(): void {
    this.#wave = new Deferred()
    this.given = false
  }

  #end(): void {
    this.given = true
    this.callers = 0
  }
}
