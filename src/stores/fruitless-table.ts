import type { FruitlessLoads, LoadEnd } from '../contracts/store.ts'
import { ExpiringMap } from './expiring-map.ts'

/** So long it is remembered that loads stored nothing: several polls of whoever waits. */
const REMEMBERED_MS = 5000

interface Counted extends FruitlessLoads {
  readonly until: number
}

/** How the loads of each key ended that stored nothing. */
export class FruitlessTable {
  readonly #counts = new ExpiringMap<Counted>()

  get(key: string, now: number): FruitlessLoads | undefined {
    const counted = this.#counts.get(key, now)
    if (counted === undefined) return undefined
    const { until: _, ...loads } = counted
    return loads
  }

  note(key: string, end: LoadEnd, now: number): void {
    if (end.kind === 'unused') return
    const { failed, failure, unstored } = this.#counts.get(key, now) ?? NONE
    const last = end.kind === 'failed' ? end.failure : failure
    this.#put(
      key,
      {
        failed: end.kind === 'failed' ? failed + 1 : failed,
        unstored: end.kind === 'unstored' ? unstored + 1 : unstored,
        ...(last ? { failure: last } : {}),
      },
      now + REMEMBERED_MS,
      now,
    )
  }

  /** The next load is under way: how it ends belongs to the same series. */
  keep(key: string, ms: number, now: number): void {
    const counted = this.#counts.get(key, now)
    if (counted) this.#put(key, counted, Math.max(counted.until, now + ms), now)
  }

  delete(key: string): void {
    this.#counts.delete(key)
  }

  #put(key: string, loads: FruitlessLoads, until: number, now: number): void {
    this.#counts.set(key, { ...loads, until }, now)
  }
}

const NONE: FruitlessLoads = { failed: 0, unstored: 0 }
