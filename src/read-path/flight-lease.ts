import type { Fence, LoadEnd, Position } from '../contracts/store.ts'
import { LEASE_MS } from './lease-times.ts'
import type { Region } from './region.ts'

/** What a load needs for its result to be stored in L2. */
export class FlightLease {
  /** What L2 needs to know to accept the result; absent while L2 has not been asked. */
  fence: Pick<Fence, 'token' | 'sequence' | 'epoch'> | undefined
  /** Where the sequence of the key stood when L2 was last asked. */
  position: Position | undefined
  /** L2 has leases: what was loaded without one must not be stored there. */
  isNeeded = false
  /** Nobody else can have it before that. */
  #until = Number.POSITIVE_INFINITY

  get token(): string | undefined {
    return this.fence?.token
  }

  /** @param askedAt when it was asked for: L2 counts from a later instant */
  granted(askedAt: number): void {
    this.#until = askedAt + LEASE_MS
  }

  /**
   * Whether the lease is certainly still ours. A process that was paused, or cut off from L2, for
   * longer than a lease lasts cannot know, and must not store what it has loaded.
   */
  isCertain(now: number): boolean {
    return now < this.#until
  }

  /** Others need not wait for this load any more. Nothing happens where it has no lease. */
  giveBack(region: Region, storeKey: string, end: LoadEnd): void {
    const { background, clock, remote } = region.core
    const { token, ...fence } = this.fence ?? {}
    if (!remote || token === undefined) return
    this.fence = fence as typeof this.fence
    region.givenUp.note(storeKey, token, end, clock.now())
    background.track(remote.release(storeKey, token, end))
  }
}
