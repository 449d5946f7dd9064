import { isResilienceError } from '../../kernel/errors.ts'

/** What a call says of the dependency. What is ignored counts neither for nor against it. */
export type Verdict = 'success' | 'failure' | 'ignore'

/** How a call ended: it has `value`, or `error`. */
export interface CallOutcome {
  readonly value?: unknown
  readonly error?: unknown
  /** How long it took, in milliseconds. */
  readonly ms: number
}

/** Our own load, or the caller's own wish: the dependency was not even asked. */
const OWN = ['ERR_BULKHEAD_FULL', 'ERR_RATE_LIMITED', 'ERR_ABORTED'] as const

const VERDICTS: readonly unknown[] = ['success', 'failure', 'ignore']

export function verdictOfError(error: unknown): Verdict {
  return OWN.some((code) => isResilienceError(error, code)) ? 'ignore' : 'failure'
}

/** Asks `classify`. A mistake in it must not become the caller's: then the default stands. */
export function askFor(
  classify: (outcome: CallOutcome) => Verdict | undefined,
  outcome: CallOutcome,
): Verdict {
  try {
    const verdict: unknown = classify(outcome)
    if (VERDICTS.includes(verdict)) return verdict as Verdict
    if (verdict !== undefined) complain("gave something other than 'success', 'failure', 'ignore'")
  } catch {
    complain('threw')
  }
  return 'error' in outcome ? verdictOfError(outcome.error) : 'success'
}

let hasComplained = false

/** Once in a process: it would come with every call. */
function complain(what: string): void {
  if (hasComplained) return
  hasComplained = true
  process.emitWarning(
    `classify of a circuit breaker ${what}; the default is used`,
    'ResilientCacheWarning',
  )
}
