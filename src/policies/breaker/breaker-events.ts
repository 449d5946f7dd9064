import type { ResilienceError } from '../../kernel/errors.ts'
import type { Verdict } from './verdict.ts'

/** What a breaker tells those who listen. */
export interface BreakerEvents {
  /** It has opened, by itself: at a failure, a slow call or a failed probe. */
  open: {
    readonly name: string
    readonly openForMs: number
    /** 1 for the first opening since it was last closed. */
    readonly openings: number
    /** What the last call ended with; the value where a slow one or `classify` opened it. */
    readonly cause: unknown
  }
  /** Calls go through again: the probes have succeeded, or `reset()` was called. */
  close: { readonly name: string }
  /** The open time was over when a call came: it is a probe. */
  'half-open': { readonly name: string }
  /** A call was turned away. The error may be the same as the last time. */
  reject: { readonly name: string; readonly error: ResilienceError }
  /** A call has ended. */
  call: {
    readonly name: string
    readonly verdict: Verdict
    readonly ms: number
    readonly isSlow: boolean
    readonly isProbe: boolean
    /** It began before the breaker last changed its state, and was not counted. */
    readonly isLate: boolean
  }
  /** It was isolated, or is not isolated any more. */
  isolate: { readonly name: string; readonly isIsolated: boolean; readonly reason?: string }
}

/** What a breaker has seen since it was made. Counters only grow. */
export interface BreakerStats {
  successes: number
  failures: number
  /** Calls that say nothing of the dependency. */
  ignored: number
  /** Successes and failures that took longer than `slowCall.duration`. */
  slow: number
  /** Failures that a time-out of the breaker ended. */
  timeouts: number
  /** Of all that ended, those that began in an earlier period and were not judged by. */
  late: number
  /** Turned away: they are in none of the others. */
  rejected: number
  probes: number
  opened: number
  closed: number
}

export function noStats(): BreakerStats {
  return {
    successes: 0,
    failures: 0,
    ignored: 0,
    slow: 0,
    timeouts: 0,
    late: 0,
    rejected: 0,
    probes: 0,
    opened: 0,
    closed: 0,
  }
}
