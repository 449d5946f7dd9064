import type { LoadEnd } from '../contracts/store.ts'
import { LEASE_MS } from './lease-times.ts'

/** More keys than are given up within the life of a lease, unless L2 is away anyway. */
const MOST_KEYS = 1000

interface GivenUp {
  readonly token: string
  readonly end: LoadEnd
  readonly until: number
}

/**
 * Leases that this process has given back a short while ago. L2 may not have heard of it: a later load
 * must not wait for a lease of its own.
 */
export class GivenUpLeases {
  /** The oldest first. */
  readonly #leases = new Map<string, GivenUp>()

  note(storeKey: string, token: string, end: LoadEnd, now: number): void {
    this.#leases.delete(storeKey)
    this.#leases.set(storeKey, { token, end, until: now + LEASE_MS })
    for (const [key, { until }] of this.#leases) {
      if (until > now && this.#leases.size <= MOST_KEYS) return
      this.#leases.delete(key)
    }
  }

  take(storeKey: string, now: number): GivenUp | undefined {
    const lease = this.#leases.get(storeKey)
    this.#leases.delete(storeKey)
    return lease && now < lease.until ? lease : undefined
  }
}
