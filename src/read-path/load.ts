import { callOrigin, callOriginOfMany, type ManyOrigin } from './call-origin.ts'
import { emitMiss } from './emit-hit.ts'
import type { Flight } from './flight.ts'
import { type Held, lookUpRemote } from './lookup-remote.ts'
import type { Region } from './region.ts'
import { waitForLease } from './wait-for-lease.ts'

/**
 * The way of a load: L2 once for all keys, then the origin for those it did not have. Never rejects:
 * every end is told to the flights.
 */
export async function load(
  region: Region,
  flights: readonly Flight[],
  manyOrigin: ManyOrigin | undefined,
): Promise<void> {
  const missing: Flight[] = []
  const held: Held[] = []
  await lookUpRemote(region, flights, {
    missing: (flight) => void missing.push(flight),
    held: (one) => void held.push(one),
  })
  for (const flight of missing) flight.looked = true
  for (const { flight } of held) flight.looked = true
  await Promise.all([
    ...held.map((one) => loadWhenLeased(region, one)),
    loadFromOrigin(region, missing, manyOrigin),
  ])
}

/** The same for loads that have nothing in common but the question to L2: none waits for another. */
export async function loadEach(region: Region, flights: readonly Flight[]): Promise<void> {
  if (flights.length === 0) return
  const rest: Promise<void>[] = []
  await lookUpRemote(region, flights, {
    missing(flight) {
      flight.looked = true
      rest.push(loadFromOrigin(region, [flight], undefined))
    },
    held(one) {
      one.flight.looked = true
      rest.push(loadWhenLeased(region, one))
    },
  })
  if (rest.length > 0) await Promise.all(rest)
}

/** Another process loads this key: take its result, or its place when it is gone. */
async function loadWhenLeased(region: Region, held: Held): Promise<void> {
  if (!(await waitForLease(region, held))) return
  missed(region, held.flight)
  await callOrigin(region, held.flight)
}

async function loadFromOrigin(
  region: Region,
  flights: readonly Flight[],
  manyOrigin: ManyOrigin | undefined,
): Promise<void> {
  if (flights.length === 0) return
  for (const flight of flights) missed(region, flight)
  if (manyOrigin) await callOriginOfMany(region, flights, manyOrigin)
  else await Promise.all(flights.map((flight) => callOrigin(region, flight)))
}

/** A refresh is no miss, and neither is a read that was answered with a stale value. */
function missed(region: Region, flight: Flight): void {
  if (!flight.background && !flight.over) emitMiss(region, flight.key)
}
