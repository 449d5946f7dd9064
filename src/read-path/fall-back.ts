import type { Fallback } from '../contracts/load-guard.ts'
import type { Flight } from './flight.ts'
import type { Outcome } from './outcome.ts'
import type { Region } from './region.ts'

/** What a fallback makes of an error. It is stored nowhere: the next read asks the origin again. */
export async function fallBack(
  { core }: Region,
  fallback: Fallback,
  error: unknown,
  args: readonly unknown[],
): Promise<Outcome> {
  const value = await fallback(error, { args })
  return { value, source: 'fallback', kind: 'fallback', createdAt: core.clock.now() }
}

/** Those who wait for a load that has failed get what the fallback makes of its error. Never rejects. */
export async function answerByFallback(
  flight: Flight,
  fallback: Fallback,
  error: unknown,
): Promise<void> {
  try {
    flight.end(await fallBack(flight.region, fallback, error, flight.args), flight.tags)
  } catch (thrown) {
    flight.fail(thrown)
  }
}
