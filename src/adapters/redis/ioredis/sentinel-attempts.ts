import type { Candidate, Endpoint } from './discovery.ts'
import { causeOf, isAuthFailure } from './failure-cause.ts'
import { textOf } from './sentinel-ballot.ts'

/** What only an operator repairs is not tried every second. */
const AUTH_PAUSE_MS = 10_000

interface Refusal {
  readonly cause: string
  readonly probeAt: number
}

/** What was tried since a server was last accepted, or since everything had been tried. */
export class SentinelAttempts {
  readonly #tried = new Map<string, string>()
  /** What would not do stays known for the watcher, which must not send the connection back there. */
  readonly #refused = new Map<string, Refusal>()

  refused(endpoint: Endpoint, error: Error, now: number): void {
    const refusal = refusalOf(error, now)
    this.#tried.set(textOf(endpoint), refusal.cause)
    this.#refused.set(textOf(endpoint), refusal)
  }

  /** It was tried again on the side, and still will not do. */
  keepRefused(endpoint: Endpoint, error: Error, now: number): void {
    this.#refused.set(textOf(endpoint), refusalOf(error, now))
  }

  accepted(candidate: Candidate): void {
    this.#tried.clear()
    this.#refused.delete(textOf(candidate))
  }

  /** Every candidate was tried: the next attempt begins with the first again. */
  begin(): void {
    this.#tried.clear()
  }

  isUntried(endpoint: Endpoint): boolean {
    return !this.#tried.has(textOf(endpoint))
  }

  get hasTried(): boolean {
    return this.#tried.size > 0
  }

  wasRefused(endpoint: Endpoint): boolean {
    return this.#refused.has(textOf(endpoint))
  }

  /** Whether it is time to see if a refused server will do by now. */
  mayProbe(endpoint: Endpoint, now: number): boolean {
    const refusal = this.#refused.get(textOf(endpoint))
    return refusal !== undefined && now >= refusal.probeAt
  }

  /** It will do. */
  forgive(endpoint: Endpoint): void {
    this.#refused.delete(textOf(endpoint))
    this.#tried.delete(textOf(endpoint))
  }

  get causes(): string[] {
    return [...this.#tried.values()]
  }
}

function refusalOf(error: Error, now: number): Refusal {
  const cause = causeOf(error)
  return { cause, probeAt: isAuthFailure(cause) ? now + AUTH_PAUSE_MS : now }
}
