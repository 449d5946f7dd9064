/** Events of guards and of their single stages, and what they carry. */
export interface GuardEvents {
  /** A call has ended. */
  call: {
    readonly name: string
    readonly result: 'ok' | 'error' | 'fallback' | 'aborted'
    readonly durationMs: number
    /** How often the task was to be begun; hedges are not counted. */
    readonly attempts: number
  }
  /** An attempt has failed, and another one follows after `delayMs`. */
  retry: {
    readonly name: string
    /** The number of the one that failed, from 1. */
    readonly attempt: number
    readonly delayMs: number
    readonly error: unknown
  }
  /** Another attempt would follow, but `budget` is spent. */
  'budget-spent': { readonly name: string; readonly stage: 'retry' | 'hedge' }
  /** A second copy of a slow task was started. */
  hedge: { readonly name: string; readonly delayMs: number }
  /** An attempt, or the whole call, took too long. */
  timeout: { readonly name: string; readonly kind: 'attempt' | 'deadline' }
  /** The breaker, the limit or the bulkhead let an attempt not pass. */
  reject: { readonly name: string; readonly error: unknown }
  /** The fallback was asked, in place of an error. */
  fallback: { readonly name: string; readonly error: unknown }
}

/** What a guard has counted since it was made. */
export interface GuardStats {
  calls: number
  /** Calls under way. */
  inFlight: number
  /** Calls that a task's value was the answer of. */
  succeeded: number
  /** Calls that ended with an error, or with the fallback in its place; aborted ones apart. */
  failed: number
  /** Calls that were given up by their signal. */
  aborted: number
  /** Attempts after the first. */
  retries: number
  /** Attempts that were not made because `retry.budget` was spent. */
  retriesDenied: number
  /** Second copies. */
  hedges: number
  /** Second copies that answered first. */
  hedgesWon: number
  /** Second copies that were not started because `hedge.budget` was spent. */
  hedgesDenied: number
  /** Attempts that took longer than `timeout`. */
  timeouts: number
  /** Calls that took longer than `deadline`. */
  deadlines: number
  /** Attempts that the breaker, the limit or the bulkhead let not pass. */
  rejected: number
  /** Calls that were answered by the fallback. */
  fallbacks: number
}

export function newStats(): GuardStats {
  return {
    calls: 0,
    inFlight: 0,
    succeeded: 0,
    failed: 0,
    aborted: 0,
    retries: 0,
    retriesDenied: 0,
    hedges: 0,
    hedgesWon: 0,
    hedgesDenied: 0,
    timeouts: 0,
    deadlines: 0,
    rejected: 0,
    fallbacks: 0,
  }
}
