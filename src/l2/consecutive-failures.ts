import type { BreakerEngine } from '../contracts/breaker-engine.ts'

const FAILURES_TO_OPEN = 5

/** The engine of stores that bring none: five failures in a row open it, whatever they are. */
export class ConsecutiveFailures implements BreakerEngine {
  #failures = 0

  get isOpen(): boolean {
    return this.#failures >= FAILURES_TO_OPEN
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(): void {
    this.#failures++
  }

  close(): void {
    this.#failures = 0
  }

  shutdown(): void {}
}
