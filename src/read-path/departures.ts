import type { Flight } from './flight.ts'
import { loadEach } from './load.ts'
import type { Region } from './region.ts'

/** Of each region, what departs when this turn of the microtasks ends. */
const departing = new WeakMap<Region, { flights: Flight[] }>()

/**
 * Loads that begin in one turn ask L2 together: one question, with one lease token, one deadline and
 * one list of tags, where each by itself would have to be put together with the others later on. To
 * be called in the async context that loads run in.
 */
export function depart(flight: Flight): void {
  const { region } = flight
  let waiting = departing.get(region)
  if (!waiting) {
    waiting = { flights: [] }
    departing.set(region, waiting)
  }
  const gate = waiting
  if (gate.flights.push(flight) > 1) return
  // Followed from now on: the cache may be closed in the same turn.
  region.core.background.track(
    Promise.resolve().then(() => {
      const { flights } = gate
      gate.flights = []
      return start(region, flights)
    }),
  )
}

async function start(region: Region, flights: readonly Flight[]): Promise<void> {
  // One that was superseded has a successor with the same key: two loads must never share a lease.
  const together = flights.filter((flight) => !flight.detached)
  if (together.length === flights.length) return loadEach(region, flights)
  const alone = flights.filter((flight) => flight.detached)
  await Promise.all([together, ...alone.map((one) => [one])].map((some) => loadEach(region, some)))
}
