/** What was counted. Calls that are ignored are in none of them. */
export interface Tally {
  readonly calls: number
  readonly failures: number
  readonly slow: number
}

/** The calls that a closed breaker judges by. */
export interface OutcomeWindow {
  add(isFailure: boolean, isSlow: boolean, now: number): void
  /** Of the calls up to the last one added. */
  tally(): Tally
  clear(): void
}
