import type { Clock } from '../../contracts/clock.ts'
import { type Duration, toMs } from '../../kernel/duration.ts'
import { retryAfterOf } from '../retry/retry-after.ts'

const FIRST_MS = 5_000
const LONGEST_MS = 60_000
/** Of a Retry-After: a header must not be able to keep a breaker open for a year. */
const LONGEST_ASKED_MS = 3_600_000

/**
 * For how many milliseconds a breaker opens the `openings`-th time in a row.
 * @param openFor already checked: a duration, a function of the user, or nothing
 */
export function openTime(
  openFor: Duration | ((n: number, cause: unknown) => Duration) | undefined,
  world: { readonly clock: Clock; readonly random: () => number },
): (openings: number, cause: unknown) => number {
  const { clock, random } = world
  const atLeast = (ms: number, cause: unknown): number =>
    Math.max(ms, Math.min(retryAfterOf(cause, clock.wall()) ?? 0, LONGEST_ASKED_MS))
  const byDefault = (openings: number, cause: unknown): number => {
    const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** (openings - 1))
    return atLeast(Math.round(most * (0.5 + 0.5 * random())), cause)
  }
  if (openFor === undefined) return byDefault
  if (typeof openFor !== 'function') {
    const ms = toMs(openFor, 'openFor')
    return (_, cause) => atLeast(ms, cause)
  }
  return (openings, cause) => {
    try {
      return toMs(openFor(openings, cause), 'openFor')
    } catch {
      // It happens within somebody's call, who has to get that call's own outcome.
      process.emitWarning(
        'openFor of a circuit breaker threw or gave no duration; the default is used',
        'ResilientCacheWarning',
      )
      return byDefault(openings, cause)
    }
  }
}
