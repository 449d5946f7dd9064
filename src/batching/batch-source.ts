import { type ForeignLimiter, type Runner, runUnder } from '../contracts/runner.ts'
import { type Alignment, align } from './align.ts'
import type { Asking, Outcome, Source } from './source.ts'
import { bisect, isWorthSplitting } from './split.ts'

/** What the batch function gets besides its keys. */
export interface BatchContext {
  /** Aborted when nobody waits for any key of the batch any more, or by the guard. */
  readonly signal: AbortSignal
}

export type AnyBatchFunction<K> = (keys: readonly K[], context: BatchContext) => unknown

export interface BatchSourceOptions<K> extends Alignment<K> {
  readonly onBatchError: 'fail' | 'split'
}

/** The user's batch function, under the guard, its answer in the order of the keys. */
export class BatchSource<K, V> implements Source<K, V> {
  readonly #batch: AnyBatchFunction<K>
  readonly #options: BatchSourceOptions<K>
  readonly #guard: Runner | ForeignLimiter | undefined

  constructor(
    batch: AnyBatchFunction<K>,
    options: BatchSourceOptions<K>,
    guard: Runner | ForeignLimiter | undefined,
  ) {
    this.#batch = batch
    this.#options = options
    this.#guard = guard
  }

  read(keys: readonly K[], asking: Asking): Promise<ReadonlyArray<Outcome<V>>> {
    const answer = this.#ask(keys, asking)
    if (this.#options.onBatchError === 'fail' || keys.length === 1) return answer
    return answer.catch((error: unknown) => {
      if (!isWorthSplitting(error) || asking.signal.aborted) throw error
      return bisect<K, V>(keys, error, (half) => this.#ask(half, asking), asking)
    })
  }

  #ask(keys: readonly K[], asking: Asking): Promise<ReadonlyArray<Outcome<V>>> {
    try {
      // A copy for each call: the function may sort what it is given or use it up, and then another
      // call may follow, and what it brings is looked up by key.
      const answer =
        this.#guard === undefined
          ? this.#batch(keys.slice(), new Context(asking))
          : runUnder(
              this.#guard,
              (signal) => this.#batch(keys.slice(), { signal }),
              () => asking.signal,
            )
      return Promise.resolve(answer).then((found) => align<K, V>(this.#options, keys, found))
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

/** Most batch functions never look at the signal: it is made when they do. */
class Context implements BatchContext {
  readonly #asking: Asking

  constructor(asking: Asking) {
    this.#asking = asking
  }

  get signal(): AbortSignal {
    return this.#asking.signal
  }
}
