/** A timer that is waiting. */
export type Timer = unknown

/**
 * The only source of time of the library. `FakeClock` of `./testing` is one; so is the real one.
 */
export interface Clock {
  /** Milliseconds on a clock that never jumps. Only differences mean anything. */
  now(): number
  /** Milliseconds since 1970, comparable between processes of one machine. */
  wall(): number
  /**
   * A reading that costs one property load. It lags `now()` by at most about 10 ms, and reads
   * `Infinity` while it is asleep: whoever compares it with a limit then takes the exact path and
   * calls {@link Clock.wake}.
   */
  readonly coarse: { readonly now: number }
  /** Makes `coarse` run for a while. */
  wake(): void
  /** Runs `task` once after `ms`. `unref: true` lets the process exit before that. */
  setTimeout(task: () => void, ms: number, options?: { unref?: boolean }): Timer
  clearTimeout(timer: Timer): void
  /** Runs `task` when what has already arrived in this turn of the event loop has been handled. */
  immediate(task: () => void): void
}
