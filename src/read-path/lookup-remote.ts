import type { LeaseRequest, ReadReply, StoredRecord } from '../contracts/store.ts'
import { ENTRY_IN_L2, type Entry } from '../l1/entry.ts'
import { decodeRecord, type RemoteEntry } from './decode-record.ts'
import { emitHit } from './emit-hit.ts'
import type { Flight } from './flight.ts'
import { expire, extendUnverified } from './freshness.ts'
import type { Region } from './region.ts'
import { keepStale, promote } from './write-back.ts'

const LEASE_MS = 5000
const FIRST_POLL_MS = 25
const LAST_POLL_MS = 500

interface Looked {
  /** To be loaded from the origin. */
  readonly missing: Flight[]
  /** Another process holds their lease. */
  readonly held: Flight[]
}

/** Asks L2 once for all flights, and answers those it has a fresh entry for. */
export async function lookUpRemote(region: Region, flights: readonly Flight[]): Promise<Looked> {
  const looked: Looked = { missing: [], held: [] }
  const { remote } = region.core
  const policy = flights[0]?.policy
  if (!remote || !policy?.useL2) return { missing: [...flights], held: [] }
  const tags = [...new Set(flights.flatMap((flight) => flight.tags))]
  const keys = flights.map((flight) => flight.storeKey)
  const lease = leaseFor(region, flights)
  const reply = await remote.read({ keys, tags, ...(lease ? { lease } : {}) })
  if (!reply) {
    withoutL2(region, flights, looked)
    return looked
  }
  await Promise.all(
    flights.map(async (flight, i) => {
      const view: View = { reply, index: i, tags, token: lease?.token }
      const verdict = await consider(region, flight, view)
      if (verdict === 'missing') looked.missing.push(flight)
      else if (verdict === 'held') looked.held.push(flight)
    }),
  )
  return looked
}

/** Waits while another process loads the key. Resolves to whether the origin is ours to call. */
export async function waitForLease(region: Region, flight: Flight): Promise<boolean> {
  const { clock, random, remote } = region.core
  if (!remote) return true
  const key = flight.storeKey
  for (let poll = FIRST_POLL_MS; !flight.over; poll = Math.min(poll * 2, LAST_POLL_MS)) {
    await flight.nextLook(clock.now() + poll * (0.5 + 0.5 * random()))
    if (flight.over) return false
    flight.woken = false
    flight.overtaken = false
    const lease = leaseFor(region, [flight])
    const reply = await remote.read({ keys: [key], tags: flight.tags, ...(lease ? { lease } : {}) })
    if (!reply) return true
    const view: View = { reply, index: 0, tags: flight.tags, token: lease?.token }
    const verdict = await consider(region, flight, view)
    if (verdict !== 'held') return verdict === 'missing'
  }
  return false
}

interface View {
  readonly reply: ReadReply
  readonly index: number
  readonly tags: readonly string[]
  readonly token: string | undefined
}

interface Found {
  readonly entry: Entry
  readonly fresh: boolean
}

/** What one reply means for one flight. */
async function consider(
  region: Region,
  flight: Flight,
  { reply, index, tags, token }: View,
): Promise<'missing' | 'held' | 'answered'> {
  const record = reply.records[index]
  const found = record ? await acceptable(region, flight, record, reply, tags) : undefined
  const answers = found !== undefined && satisfies(flight, found)
  if (answers) promote(region, flight, found.entry)
  let lease = reply.leases[index]
  if (!flight.over) settleFallback(region, flight, found)
  if (flight.over) {
    if (lease === 'granted' && token) giveBack(region, flight, token)
    return 'answered'
  }
  if (lease === undefined && token) lease = await leaseAnyway(region, flight, token)
  if (lease === 'held') return 'held'
  beginAt(region, flight, { reply, index, token: lease === 'granted' ? token : undefined })
  return 'missing'
}

/** What L2 says about the stale value that may be served meanwhile. */
function settleFallback(region: Region, flight: Flight, found: Found | undefined): void {
  if (found) {
    if (!found.fresh) keepStale(region, flight, found.entry)
    if (!flight.rest(found.entry)) flight.offerStale(found.entry)
  } else if (!flight.invalidated && isKnownToL2(flight.fallback)) flight.dropFallback()
  else believe(flight)
}

/** L2 cannot say anything against what L1 has. */
function believe(flight: Flight): void {
  const { fallback, fallbackIsFresh } = flight
  const rests = fallback !== undefined && !fallbackIsFresh && flight.rest(fallback)
  if (!rests) flight.trustFallback()
}

/** What L2 once held and holds no more was invalidated, or evicted: it is not to be believed. */
export function isKnownToL2(entry: Entry | undefined): boolean {
  return entry?.has(ENTRY_IN_L2) === true
}

/** The origin is ours to call; what it brings is stored only if nothing happens from here on. */
function beginAt(
  region: Region,
  flight: Flight,
  { reply, index, token }: Pick<View, 'reply' | 'index' | 'token'>,
): void {
  const mayStore = token !== undefined && !flight.outdated
  // It can store nothing any more: the load that replaces it is not to wait for it.
  if (token !== undefined && !mayStore) giveBack(region, flight, token)
  const { sequence, epoch } = reply
  flight.fence = { ...(mayStore ? { token } : {}), sequence, epoch }
  flight.position = reply.positions[index]
}

/** Whether an entry of L2 is what this load was begun for. */
function satisfies(flight: Flight, found: Found): boolean {
  return (
    !flight.over && found.fresh && !flight.forced && found.entry.createdAt >= flight.minCreatedAt
  )
}

/** The store took the entry for fresh; we know better (a tag was invalidated), and want its lease. */
async function leaseAnyway(
  region: Region,
  flight: Flight,
  token: string,
): Promise<'granted' | 'held' | undefined> {
  const lease: LeaseRequest = { token, ms: LEASE_MS, when: 'always' }
  const keys = [flight.storeKey]
  const reply = await region.core.remote?.read({ keys, tags: [], lease })
  return reply?.leases[0]
}

/** The entry of a record, if it may be served to this flight, fresh or in its grace. */
async function acceptable(
  region: Region,
  flight: Flight,
  record: StoredRecord,
  reply: ReadReply,
  tags: readonly string[],
): Promise<Found | undefined> {
  const { key, policy, startedSequence } = flight
  const found = await decodeRecord(region, key, policy, record, reply, tags, startedSequence)
  if (!found || flight.invalidated) return undefined
  // The call declares other tags than the entry was stored with: it would miss an invalidation.
  const stored = new Set(found.tags)
  if (!flight.tags.every((tag) => stored.has(tag) || region.scopeTags.includes(tag)))
    return undefined
  return withFreshness(region, flight, found)
}

function withFreshness(
  region: Region,
  flight: Flight,
  { entry, expired }: RemoteEntry,
): Found | undefined {
  const now = region.core.clock.now()
  if (expired) expire(entry, now)
  if (now < entry.freshUntil) return { entry, fresh: true }
  if (now < entry.freshUntil + flight.policy.graceMs) return { entry, fresh: false }
  return undefined
}

function leaseFor(region: Region, flights: readonly Flight[]): LeaseRequest | undefined {
  const { core } = region
  // A lease that cannot be given back or committed under would only keep others waiting.
  if (!core.remote?.store.supports.leases || !core.remote.writable) return undefined
  const always = flights.some((f) => f.forced || f.minCreatedAt !== Number.NEGATIVE_INFINITY)
  return { token: core.nextToken(), ms: LEASE_MS, when: always ? 'always' : 'stale' }
}

function giveBack(region: Region, flight: Flight, token: string): void {
  const { background, remote } = region.core
  if (remote) background.track(remote.release(flight.storeKey, token))
}

/** L2 gave no reply: what L1 holds is as good as it gets, the rest goes to the origin unleased. */
function withoutL2(region: Region, flights: readonly Flight[], looked: Looked): void {
  const { clock, l1TtlMs } = region.core
  for (const flight of flights) {
    if (flight.fallback && flight.fallbackIsFresh && !flight.background) {
      extendUnverified(flight.fallback, clock.now(), l1TtlMs)
      flight.answerDegraded()
      emitHit(region, flight.key, 'l1')
    } else if (!flight.over) {
      believe(flight)
      if (!flight.over) looked.missing.push(flight)
    }
  }
}
