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
  /** Attempts so far. */
  #begun = 0
  /** How many had begun when the last one answered. */
  #begunBefore = 0

  constructor(guard: LoadGuard | undefined, notes: N, newNotes: (() => N) | undefined) {
    this.notes = notes
    this.#guard = guard
    this.#newNotes = newNotes
  }

  /** @param signal of the load */
  run(signal: () => AbortSignal, call: Call<N>): unknown {
    if (this.#guard === undefined) return call(this.notes, signal)
    const { runner } = this.#guard
    if (!isRunner(runner)) {
      return runner(() => {
        // Nobody wants any more what was given up while it queued there.
        signal().throwIfAborted()
        return this.#attempt(signal, call)
      })
    }
    return runner((own) => this.#attempt(() => own, call), {
      signal: signal(),
      onFallback: (error) => {
        this.stoodIn = { error }
      },
    })
  }

  async #attempt(signal: () => AbortSignal, call: Call<N>): Promise<unknown> {
    const order = ++this.#begun
    const notes = this.#newNotes === undefined ? this.notes : this.#newNotes()
    // A fallback before it has not answered, or has failed.
    this.stoodIn = undefined
    const value = await call(notes, signal)
    // Of several at the same time the first one answers. What was given up answers nothing.
    if (order > this.#begunBefore && !signal().aborted) {
      this.#begunBefore = this.#begun
      this.notes = notes
      this.stoodIn = undefined
    }
    return value
  }
}
