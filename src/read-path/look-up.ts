import type { LeaseRequest } from '../contracts/store.ts'
import type { RemoteReply } from '../l2/merge-reads.ts'
import type { Flight } from './flight.ts'
import { askFor, type KnownCopy, knownCopy, tagsOfCopies } from './known-copy.ts'
import { LEASE_MS } from './lease-times.ts'
import type { Region } from './region.ts'

/** One reply of L2 about several loads. */
export interface Look {
  readonly reply: RemoteReply
  readonly tags: readonly string[]
  readonly copies: ReadonlyArray<KnownCopy | undefined>
  /** That of the leases that were granted. */
  readonly token: string | undefined
  /** Local time when it was asked for. */
  readonly askedAt: number
  /** Local time until which its loads wait for L2. */
  readonly until: number
  /** L2 has leases. */
  readonly leases: boolean
}

/** Asks L2 once for all of them, for a lease where it has some. */
export async function lookUp(
  region: Region,
  flights: readonly Flight[],
): Promise<Look | undefined> {
  const { clock, remote } = region.core
  if (!remote) return undefined
  const keys = flights.map((flight) => flight.storeKey)
  const copies = flights.map((flight) => knownCopy(region, flight.fallback))
  const declared = flights.flatMap((flight) => flight.tags)
  const tags = [...new Set([...declared, ...tagsOfCopies(copies)])]
  const lease = leaseFor(region, flights)
  const { leases } = remote.supports
  const askedAt = clock.now()
  for (const flight of flights) flight.look()
  const reply = await remote.read({ keys, tags, ...askFor(copies), ...(lease ? { lease } : {}) })
  const token = lease && (reply?.token ?? lease.token)
  const until = askedAt + remote.timeoutMs
  return reply && { reply, tags, copies, token, askedAt, until, leases }
}

/** The store took the entry for fresh; we know better (a tag was invalidated), and want its lease. */
export async function leaseAnyway(
  region: Region,
  flight: Flight,
  until: number,
): Promise<Look | undefined> {
  const { clock, nextToken, remote } = region.core
  const lease: LeaseRequest = { token: nextToken(), ms: LEASE_MS, when: 'always' }
  const askedAt = clock.now()
  const reply = await remote?.read({ keys: [flight.storeKey], tags: [], lease }, until)
  const token = reply?.token ?? lease.token
  return reply && { reply, tags: [], copies: [], token, askedAt, until, leases: true }
}

function leaseFor(region: Region, flights: readonly Flight[]): LeaseRequest | undefined {
  const { core } = region
  // A lease that cannot be given back or committed under would only keep others waiting.
  if (!core.remote?.supports.leases || !core.remote.writable) return undefined
  const always = flights.some((f) => f.forced || f.minCreatedAt !== Number.NEGATIVE_INFINITY)
  return { token: core.nextToken(), ms: LEASE_MS, when: always ? 'always' : 'stale' }
}
