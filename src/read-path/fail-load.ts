import { backOff } from './back-off.ts'
import { failureOf } from './failure.ts'
import type { Flight } from './flight.ts'
import type { Region } from './region.ts'
import { report } from './report.ts'
import { storeError } from './write-back.ts'

/** A load that has failed: what is stale is served, or the error; others may load in its place. */
export function failLoad(region: Region, flight: Flight, error: unknown): void {
  if (flight.over) {
    flight.giveLeaseBack({ kind: 'unused' })
    return
  }
  if (flight.calling) region.originErrors++
  const { background, calling } = flight
  backOff(flight)
  storeError(region, flight, error)
  flight.giveLeaseBack(calling ? { kind: 'failed', failure: failureOf(error) } : { kind: 'unused' })
  flight.fail(error)
  if (background) report(region.core, 'refresh', error)
}
