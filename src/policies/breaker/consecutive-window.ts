import type { OutcomeWindow, Tally } from './outcome-window.ts'

/** Only the failures in a row: a success forgets them. All of its calls are failures. */
export class ConsecutiveWindow implements OutcomeWindow {
  #failures = 0

  add(isFailure: boolean): void {
    this.#failures = isFailure ? this.#failures + 1 : 0
  }

  tally(): Tally {
    return { calls: this.#failures, failures: this.#failures, slow: 0 }
  }

  clear(): void {
    this.#failures = 0
  }
}
