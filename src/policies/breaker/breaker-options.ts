import type { Clock } from '../../contracts/clock.ts'
import type { Duration } from '../../kernel/duration.ts'
import type { BreakerSnapshot } from './snapshot.ts'
import type { CallOutcome, Verdict } from './verdict.ts'

/** Over which calls a breaker counts. */
export type BreakerWindow =
  /**
   * Those that ended within `duration` (`'10s'`), counted in `buckets` (10, at most 100) slices of it: the
   * oldest slice is forgotten as a whole.
   */
  | { type: 'time'; duration?: Duration; buckets?: number }
  /** The last `size` calls, at most 100,000. */
  | { type: 'count'; size: number }
  /** Opens at so many failures in a row. Knows no rates and no `minimumCalls`. */
  | { type: 'consecutive'; failures: number }

/** When an open breaker lets calls through again, to see whether the dependency is back. */
export interface HalfOpenOptions {
  /** How many calls decide. @default 1 */
  probes?: number
  /** The share of the probes, above 0 and up to 1, that has to succeed. @default 1 */
  successRate?: number
  /** A probe that takes longer has failed, whatever it does later. @default `timeout`, else `'10s'` */
  probeTimeout?: Duration
  /**
   * What becomes of other calls meanwhile: `'reject'` at once, or `'wait'` for the verdict and go the
   * way of the probes: as long as a probe at most, or several where a caller gives a probe up. `admit()`,
   * and so a guard, never waits. @default 'reject'
   */
  waiters?: 'reject' | 'wait'
}

/** Options of {@link circuitBreakers}: those of a breaker, for each key the same, and how many keys. */
export interface CircuitBreakersOptions extends Omit<CircuitBreakerOptions, 'state'> {
  /** Breakers kept at the same time. @default 1000 */
  max?: number
}

/** Options of {@link circuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Label in metrics and word in errors. @default 'default' */
  name?: string
  /** Over which calls it counts. @default { type: 'time', duration: '10s', buckets: 10 } */
  window?: BreakerWindow
  /** Opens at this share of failures, above 0 and up to 1. @default 0.5 */
  failureRate?: number
  /**
   * Opens also when at least `rate` (0.5) of the calls took longer than `duration`, well or not. A slow
   * probe has failed.
   */
  slowCall?: { duration: Duration; rate?: number }
  /** Opens for no rate of fewer calls. In a count window at most its size. @default 10 */
  minimumCalls?: number
  /**
   * How long it stays open: always the same, or by `n`, 1 for the first opening since it was last
   * closed, and its cause. By default 5 s, doubled with every further opening up to 1 min, and by chance
   * as little as half of that, so that not all processes probe at once (equal jitter, AWS Architecture
   * Blog, "Exponential Backoff and Jitter", 2015). A cause that has a `retryAfterMs` or the header
   * Retry-After keeps it open at least so long, one hour at most; a function is left to decide itself.
   */
  openFor?: Duration | ((n: number, cause: unknown) => Duration)
  halfOpen?: HalfOpenOptions
  /**
   * Ends each call's wait with `ERR_TIMEOUT`, aborts its signal, and is a failure. Not of calls by
   * `admit()`, and so not in a guard, which has a time-out of its own; there it bounds probes only.
   * @default none: a call that never ends is never counted
   */
  timeout?: Duration
  /**
   * What a call says of the dependency; `undefined` leaves it to the default: a value is a success and an
   * error a failure, except `ERR_BULKHEAD_FULL`, `ERR_RATE_LIMITED` and `ERR_ABORTED`, which are ignored.
   * It is not asked about calls that ran into a time-out or were given up by their caller.
   */
  classify?: (outcome: CallOutcome) => Verdict | undefined
  /** What `snapshot()` of an earlier process gave. */
  state?: BreakerSnapshot
  /** @default the real one */
  clock?: Clock
  /** Uniform in [0, 1), for the open time. @default Math.random */
  random?: () => number
}
