import type { ManyOrigin } from './call-origin.ts'
import type { Flight } from './flight.ts'
import { load } from './load.ts'
import type { Outcome } from './outcome.ts'
import { read } from './read.ts'
import type { CallOptions, Read } from './read-request.ts'
import type { Region } from './region.ts'

/**
 * Many reads of one function: each from L1 or from the load that is under way for it; what is left
 * costs one read of L2, and one call of `manyOrigin` where there is one.
 */
export function readMany(
  region: Region,
  reads: readonly Read[],
  manyOrigin: ManyOrigin | undefined,
  call?: CallOptions,
): Array<Outcome | Promise<Outcome>> {
  const launched: Flight[] = []
  let isGone = false
  const launch = (flight: Flight): boolean => {
    if (!isGone) launched.push(flight)
    return !isGone
  }
  const outcomes = reads.map((request) => {
    try {
      return read({ ...request, launch }, call)
    } catch (error) {
      // Its tags cannot be named: the others must not be left on a flight that nobody starts.
      return Promise.reject(error)
    }
  })
  isGone = true
  if (launched.length > 0) {
    region.inOwnContext(() => region.core.background.track(load(region, launched, manyOrigin)))
  }
  return outcomes
}
