import type { PermitSource } from '../../contracts/permit.ts'

/** One limiter for each key, made when the key is first seen; those seen last are kept. */
export class LimitersByKey<R> {
  readonly #make: (request: R) => PermitSource
  readonly #max: number
  readonly #limiters = new Map<string, PermitSource>()

  constructor(make: (request: R) => PermitSource, max: number) {
    this.#make = make
    this.#max = max
  }

  of(key: string, request: R): PermitSource {
    const limiter = this.#limiters.get(key) ?? this.#make(request)
    // To the end of the order in which a Map gives its keys.
    this.#limiters.delete(key)
    this.#limiters.set(key, limiter)
    if (this.#limiters.size > this.#max) {
      for (const oldest of this.#limiters.keys()) {
        this.#limiters.delete(oldest)
        break
      }
    }
    return limiter
  }
}
