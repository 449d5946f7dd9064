import type { Entry } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import type { Flight } from './flight.ts'
import type { Origin } from './flight-options.ts'
import type { Outcome } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'

/** One read: which function, which key, and how to load what is missing. */
export interface Read {
  readonly region: Region
  readonly policy: Policy
  readonly key: LocalKey
  readonly args: readonly unknown[]
  readonly origin: Origin
  /**
   * Takes a new flight, to start it together with those of other reads. Not when these have gone
   * already: then it starts by itself.
   */
  readonly launch?: (flight: Flight) => boolean
}

/** What a caller asks of one call beyond the function's options. */
export interface CallOptions {
  /** Ends this caller's wait; the load goes on for the others. */
  readonly signal?: AbortSignal | undefined
  /** Calls the origin whatever is cached. */
  readonly reload?: boolean | undefined
  /** Oldest acceptable age of a cached value. */
  readonly maxAgeMs?: number | undefined
}

/** What one caller is content with. */
export interface Wanted {
  readonly minCreatedAt: number
  readonly call: CallOptions | undefined
}

/** For a load that may have to be begun. */
export interface TakeOff extends Wanted {
  readonly entry?: Entry
  readonly entryIsFresh?: boolean
  readonly unverified?: boolean
  /** Where they are known already. */
  readonly tags?: readonly string[]
}

/** This caller's wait for the load of the key. */
export type Wait = (options: TakeOff) => Promise<Outcome>
