import type { Flight } from './flight.ts'
import { LEASE_MS, RENEW_MS } from './lease-times.ts'
import type { Region } from './region.ts'

/**
 * Leases last 5 s; a load that takes longer, or waits longer for its turn, keeps its own alive. With
 * each renewal it finds out whether something was invalidated of which no message came: nobody joins
 * it then any more. When messages are known to be lost, it does so at once.
 * @returns what ends that
 */
export function keepLeases(region: Region, flights: readonly Flight[]): () => void {
  const { clock, remote } = region.core
  const asked = flights.filter((flight) => flight.lease.fence !== undefined)
  if (!remote || asked.length === 0) return () => {}
  let timer: unknown
  const check = (): void => {
    const running = asked.filter((flight) => !flight.over && !flight.detached)
    // An origin that never ends must not keep its timer: nobody waits for it any more.
    clock.clearTimeout(timer)
    if (running.length === 0) return
    for (const flight of running) renew(region, flight)
    compareStamps(region, running)
    timer = clock.setTimeout(check, RENEW_MS, { unref: true })
  }
  timer = clock.setTimeout(check, RENEW_MS, { unref: true })
  region.checks.add(check)
  return () => {
    clock.clearTimeout(timer)
    region.checks.delete(check)
  }
}

function renew(region: Region, flight: Flight): void {
  const { background, clock, remote } = region.core
  const { token } = flight.lease
  if (!remote || token === undefined) return
  const askedAt = clock.now()
  const renewed = remote.renew(flight.storeKey, token, LEASE_MS).then((isOurs) => {
    if (isOurs === false) flight.detach()
    else if (isOurs) flight.lease.granted(askedAt)
  })
  background.track(renewed)
}

function compareStamps(region: Region, flights: readonly Flight[]): void {
  const { background, remote } = region.core
  if (!remote) return
  const tags = [...new Set(flights.flatMap((flight) => flight.tags))]
  const compared = remote.read({ keys: [], tags }).then((reply) => {
    if (!reply) return
    for (const flight of flights) {
      const { fence } = flight.lease
      if (!fence || flight.over) continue
      const stamps = flight.tags.map((tag) => reply.stamps[tags.indexOf(tag)])
      if (stamps.some((stamp) => stamp && stamp.hard > fence.sequence)) flight.detach()
      else if (
        reply.epoch !== fence.epoch ||
        stamps.some((stamp) => stamp && stamp.soft > fence.sequence)
      )
        flight.supersede()
    }
  })
  background.track(compared)
}
