import type { LoadGuard } from '../contracts/load-guard.ts'
import { isRunner } from '../contracts/runner.ts'

type Call<N> = (notes: N, signal: () => AbortSignal) => unknown

/**
 * A call of the origin, through the guard of its function if it has one. A guard may call it several
 * times, even at the same time: each attempt has a signal of its own, and what it says about its result
 * counts only if its result does.
 */
export class GuardedCall<N> {
  /** What was said about the result. */
  notes: N
  /** The value comes from a fallback inside of the guard, in place of this error. */
  stoodIn: { readonly error: unknown } | undefined
  readonly #guard: LoadGuard | undefined
  /** Absent: nobody can say anything. */
  readonly #newNotes: (() => N) | undefined

  constructor(guard: LoadGuard | undefined, notes: N, newNotes: (() => N) | undefined) {
    this.notes = notes
    this.#guard = guard
    this.#newNotes = newNotes
  }

  /** @param signal of the load */
  run(signal: () => AbortSignal, call: Call<N>): unknown {
    if (this.#guard === undefined) return call(this.notes, signal)
    const { runner } = this.#guard
    if (!isRunner(runner)) return runner(() => this.#attempt(signal, call))
    return runner((own) => this.#attempt(() => own, call), {
      signal: signal(),
      onFallback: (error) => {
        this.stoodIn = { error }
      },
    })
  }

  #attempt(signal: () => AbortSignal, call: Call<N>): unknown {
    if (this.#newNotes === undefined) return call(this.notes, signal)
    const notes = this.#newNotes()
    return this.#noted(call(notes, signal), notes, signal)
  }

  async #noted(result: unknown, notes: N, signal: () => AbortSignal): Promise<unknown> {
    const value = await result
    // One that was given up, and answers all the same, is not the one whose value counts.
    if (!signal().aborted) this.notes = notes
    return value
  }
}
