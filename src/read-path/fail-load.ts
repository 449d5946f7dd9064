import { backOff } from './back-off.ts'
import { failureOf } from './failure.ts'
import { answerByFallback } from './fall-back.ts'
import type { Flight } from './flight.ts'
import type { Region } from './region.ts'
import { report } from './report.ts'
import { storeError } from './write-back.ts'

/**
 * A load that has failed: what is stale is served, else what a fallback gives, else the error. Others
 * may load in its place: to them the origin has failed, or was not called, whatever stood in for it here.
 * @param standIn what a fallback inside of the guard has given already
 */
export function failLoad(
  region: Region,
  flight: Flight,
  error: unknown,
  standIn?: { readonly value: unknown },
): void {
  if (flight.over) {
    flight.giveLeaseBack({ kind: 'unused' })
    return
  }
  if (flight.calling) region.originErrors++
  const { background, calling } = flight
  backOff(flight)
  // It would be kept without what stood in for it.
  if (!standIn) storeError(region, flight, error)
  flight.giveLeaseBack(calling ? { kind: 'failed', failure: failureOf(error) } : { kind: 'unused' })
  const fallback = standIn ? () => standIn.value : flight.policy.guard?.fallback
  const hasStale = flight.usable !== undefined && !flight.forced
  if (fallback && flight.isAwaited && !hasStale) void answerByFallback(flight, fallback, error)
  else flight.fail(error)
  if (background) report(region.core, 'refresh', error)
}
