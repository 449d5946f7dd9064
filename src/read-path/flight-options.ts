import type { Entry } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import type { Policy } from './policy.ts'

export interface FlightOptions {
  readonly key: LocalKey
  readonly args: readonly unknown[]
  readonly policy: Policy
  /** Calls the origin of this load. */
  readonly origin: Origin
  /** Declared tags and scope tags, prefixed. */
  readonly tags: readonly string[]
  /** Nobody waits for it: a refresh. */
  readonly background: boolean
  /** Calls the origin whatever L2 holds. */
  readonly forced: boolean
  /** What L2 holds must be at least this new (local instants). */
  readonly minCreatedAt: number
  /** What may be served instead, if the load fails or takes long. */
  readonly fallback: Entry | undefined
  /** Whether the fallback is fresh by its own ttl and only has to be compared with L2. */
  readonly fallbackIsFresh: boolean
  /** Whether L2 has to be asked before the fallback is served: another process may have killed it. */
  readonly unverified: boolean
}

export type Origin = (args: readonly unknown[], context: unknown) => unknown
