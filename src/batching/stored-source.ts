import type { OriginGate, Question } from './origin-gate.ts'
import { type Asking, type Outcome, Rejection, type Source } from './source.ts'

/** A cached function of this library, as far as a loader uses it. */
export interface StoredFunction {
  many(
    argumentLists: readonly unknown[][],
    options: { settle: true },
  ): Promise<ReadonlyArray<{ ok: true; value: unknown } | { ok: false; error: unknown }>>
  invalidate(...args: unknown[]): Promise<unknown>
  clear(): Promise<unknown>
}

/** Makes a cached function: `cached` of a cache. */
export type MakeStored = (origin: unknown, options: Record<string, unknown>) => StoredFunction

/**
 * The values of a batch from a cache, which asks L2 once for all that L1 does not have; what neither
 * has comes from the batch function by one call.
 */
export class StoredSource<K, V> implements Source<K, V> {
  readonly #gate: OriginGate<K, V>
  readonly #stored: StoredFunction
  /** Which question an argument list belongs to: the misses come back with the lists they were asked by. */
  readonly #questions = new WeakMap<readonly unknown[], Question>()
  /** What the batch function has given for a key, not what has happened to a whole batch. */
  readonly #ownErrors = new WeakSet<Error>()

  constructor(make: MakeStored, options: Record<string, unknown>, gate: OriginGate<K, V>) {
    this.#gate = gate
    this.#stored = make(
      // One key by itself: a refresh, or a load that another process has given up.
      async (context: Asking, key: K) => valueOrThrow((await gate.load([key], context))[0]),
      {
        ...options,
        context: true,
        manyOrigin: (context: Asking, lists: ReadonlyArray<readonly [K]>) =>
          this.#loadMissing(context, lists),
      },
    )
  }

  async read(keys: readonly K[]): Promise<ReadonlyArray<Outcome<V>>> {
    const question = this.#gate.ask()
    try {
      const lists = keys.map((key) => {
        const list: unknown[] = [key]
        this.#questions.set(list, question)
        return list
      })
      const settled = await this.#stored.many(lists, { settle: true })
      return settled.map((one) => (one.ok ? (one.value as V) : this.#failure(one.error)))
    } finally {
      this.#gate.answered(question)
    }
  }

  /** Here at once, in L2 and elsewhere as soon as may be. */
  forget(key: K): void {
    // A failure is counted and told by the cache.
    this.#stored.invalidate(key).catch(() => {})
  }

  forgetAll(): void {
    this.#stored.clear().catch(() => {})
  }

  async #loadMissing(
    context: Asking,
    lists: ReadonlyArray<readonly [K]>,
  ): Promise<ReadonlyArray<V | Error>> {
    const keys = lists.map(([key]) => key)
    const question = lists[0] && this.#questions.get(lists[0])
    const outcomes = await this.#gate.load(keys, context, question)
    return outcomes.map((outcome) => {
      if (outcome instanceof Rejection) return errorOf(outcome)
      if (outcome instanceof Error) this.#ownErrors.add(outcome)
      return outcome as V | Error
    })
  }

  #failure(error: unknown): Error | Rejection {
    return error instanceof Error && this.#ownErrors.has(error) ? error : new Rejection(error)
  }
}

function valueOrThrow<V>(outcome: Outcome<V> | undefined): V {
  if (outcome instanceof Rejection) throw outcome.error
  if (outcome instanceof Error) throw outcome
  return outcome as V
}

/** An Error fails its own key; anything else that was thrown would be taken for a value. */
function errorOf({ error }: Rejection): Error {
  if (error instanceof Error) return error
  return new Error('the batch function failed with something that is no Error', { cause: error })
}
