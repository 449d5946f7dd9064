import type { Fallback } from '../contracts/load-guard.ts'
import { type Alignment, align } from './align.ts'
import { type Asking, type Outcome, Rejection, type Source, Substitute } from './source.ts'

/**
 * Where the guard has a fallback: it stands outside of the cache, so that what it gives is stored
 * nowhere. It is called once for all keys of a batch that could not be had, with the keys as the
 * argument of the call, and answers as the batch function would.
 */
export class FallbackSource<K, V> implements Source<K, V> {
  readonly #source: Source<K, V>
  readonly #fallback: Fallback
  readonly #alignment: Alignment<K>

  constructor(source: Source<K, V>, fallback: Fallback, alignment: Alignment<K>) {
    this.#source = source
    this.#fallback = fallback
    this.#alignment = alignment
  }

  async read(keys: readonly K[], asking: Asking): Promise<ReadonlyArray<Outcome<V>>> {
    let outcomes: ReadonlyArray<Outcome<V>>
    try {
      outcomes = await this.#source.read(keys, asking)
    } catch (error) {
      return this.#substitutes(keys, error)
    }
    const places = [...outcomes.keys()].filter((place) => outcomes[place] instanceof Rejection)
    if (places.length === 0) return outcomes
    const { error } = outcomes[places[0] as number] as Rejection
    const failed = places.map((place) => keys[place] as K)
    const found = await this.#substitutes(failed, error)
    const filled = [...outcomes]
    for (const [i, place] of places.entries()) filled[place] = found[i] as Outcome<V>
    return filled
  }

  async #substitutes(keys: readonly K[], error: unknown): Promise<Outcome<V>[]> {
    try {
      const answer = await this.#fallback(error, { args: [keys.slice()] })
      return align<K, V>(this.#alignment, keys, answer).map((one) =>
        one instanceof Error ? new Rejection(one) : new Substitute(one as V),
      )
    } catch (fallbackError) {
      return keys.map(() => new Rejection(fallbackError))
    }
  }
}
