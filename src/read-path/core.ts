import type { Clock } from '../contracts/clock.ts'
import type { Events } from '../kernel/events.ts'
import type { SharedTimers } from '../kernel/shared-timers.ts'
import type { LocalBudget } from '../l1/local-level.ts'
import type { Sharing } from '../l1/sharing.ts'
import type { Stamps } from '../l1/stamps.ts'
import type { RemoteLevel } from '../l2/remote-level.ts'
import type { BackgroundWork } from './background-work.ts'
import type { CacheEvents } from './cache-events.ts'
import type { LoadLimit } from './load-limit.ts'

/** What all functions and namespaces of one cache share. */
export interface Core {
  /** Name of the cache, as in `createCache({ name })`. */
  readonly name: string
  readonly clock: Clock
  readonly timers: SharedTimers
  readonly random: () => number
  readonly budget: LocalBudget
  readonly stamps: Stamps
  readonly remote: RemoteLevel | undefined
  readonly loads: LoadLimit
  readonly background: BackgroundWork
  readonly events: Events<CacheEvents>
  readonly useL1: boolean
  /**
   * How long an L1 copy is served before it is compared with L2; without an L2, a bound of the ttl. It
   * follows the coherence of L2: shorter while others cannot tell this process what they do.
   */
  readonly l1TtlMs: number
  readonly sharing: Sharing
  readonly compression: Compression
  /** A lease token that no other cache makes. */
  readonly nextToken: () => string
  /** L2 entries that were not what they should be: corrupt, foreign, refused by a schema. */
  rejectedEntries: number
  /** When the cache was made, in milliseconds since 1970. */
  readonly startedAt: number
  closed: boolean
}

export interface Compression {
  readonly algorithm: 'none' | 'gzip' | 'brotli' | 'zstd'
  readonly minBytes: number
}
