import type { Flight } from './flight.ts'
import type { Region } from './region.ts'

const LEASE_MS = 5000
const RENEW_MS = 1600

/**
 * Leases last 5 s; a load that takes longer, or waits longer for its turn, keeps its own alive.
 * @returns what ends that
 */
export function keepLeases(region: Region, flights: readonly Flight[]): () => void {
  const { background, clock, remote } = region.core
  const leased = flights.filter((flight) => flight.fence?.token !== undefined)
  if (!remote || leased.length === 0) return () => {}
  let timer: unknown
  const renew = (): void => {
    let renewing = 0
    for (const flight of leased) {
      const { storeKey, fence, over } = flight
      if (over || !fence?.token) continue
      renewing++
      const renewed = remote.renew(storeKey, fence.token, LEASE_MS)
      background.track(renewed.then((ours) => ours === false && flight.detach()))
    }
    // An origin that never ends must not keep its timer: nobody waits for it any more.
    if (renewing === 0) return
    timer = clock.setTimeout(renew, RENEW_MS, { unref: true })
  }
  timer = clock.setTimeout(renew, RENEW_MS, { unref: true })
  return () => clock.clearTimeout(timer)
}
