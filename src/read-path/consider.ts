import type { FruitlessLoads } from '../contracts/store.ts'
import { andThen, type MaybeLater } from '../kernel/maybe-later.ts'
import { ENTRY_IN_L2, type Entry } from '../l1/entry.ts'
import { rest } from './back-off.ts'
import { examine } from './examine.ts'
import type { Flight } from './flight.ts'
import type { Found } from './found.ts'
import { type Look, leaseAnyway } from './look-up.ts'
import { confirm, keepStale, promote } from './promote.ts'
import type { Region } from './region.ts'

export interface Considered {
  /**
   * `missing`: the origin is its to call. `held`: another process is loading the key. `answered`: the
   * load is over.
   */
  readonly verdict: 'missing' | 'held' | 'answered'
  /** What L2 counts of the loads of others, where it was asked for a lease; `undefined` where not. */
  readonly fruitless: { readonly count: FruitlessLoads | undefined } | undefined
}

/** What one reply means for one load. */
export function consider(
  region: Region,
  flight: Flight,
  look: Look,
  index: number,
): MaybeLater<Considered> {
  return andThen(acceptable(region, flight, look, index), (examined) => {
    const found = examined === 'silent' ? undefined : examined
    if (found && satisfies(flight, found)) {
      if (found.isCopy) confirm(region, flight, found)
      else promote(region, flight, found.entry)
    }
    if (!flight.over) settleFallback(region, flight, examined)
    if (flight.over) return answered(region, flight, look, index)
    return andThen(leased(region, flight, look, index), (asked) =>
      verdictOf(region, flight, { look, index }, asked),
    )
  })
}

const ANSWERED: Considered = { verdict: 'answered', fruitless: undefined }

/** Nothing is to be loaded: a lease is in the way of others. */
function answered(
  region: Region,
  flight: Flight,
  { reply, token }: Look,
  index: number,
): Considered {
  if (reply.leases[index] === 'granted') giveBack(region, flight, token)
  return ANSWERED
}

interface Asked {
  readonly look: Look
  readonly index: number
}

/** @param asked the reply with the lease */
function verdictOf(
  region: Region,
  flight: Flight,
  { look, index }: Asked,
  asked: Asked,
): Considered {
  if (flight.over) return answered(region, flight, asked.look, asked.index)
  const { reply } = asked.look
  const lease = reply.leases[asked.index]
  const wasAsked = lease !== undefined && reply.fruitless !== undefined
  const fruitless = wasAsked ? { count: reply.fruitless[asked.index] } : undefined
  if (lease === 'held') return { verdict: 'held', fruitless }
  beginAt(region, flight, look, index, lease === 'granted' ? asked.look : undefined)
  return { verdict: 'missing', fruitless }
}

/** The origin is ours to call; what it brings is stored only if nothing happens from here on. */
export function beginAt(
  region: Region,
  flight: Flight,
  { reply, leases }: Look,
  index: number,
  granted: Pick<Look, 'token' | 'askedAt'> | undefined,
): void {
  const token = granted?.token
  const mayStore = token !== undefined && !flight.outdated
  // It can store nothing any more: the load that replaces it is not to wait for it.
  if (token !== undefined && !mayStore) giveBack(region, flight, token)
  const { sequence, epoch } = reply
  const { lease } = flight
  lease.fence = { ...(mayStore ? { token } : {}), sequence, epoch }
  lease.position = reply.positions[index]
  lease.isNeeded = leases
  if (granted && mayStore) lease.granted(granted.askedAt)
}

/** L2 cannot say anything against what L1 has. */
export function believe(flight: Flight): void {
  const { fallback, fallbackIsFresh } = flight
  const rests = fallback !== undefined && !fallbackIsFresh && rest(flight, fallback)
  if (!rests) flight.trustFallback()
}

/** What L2 once held and holds no more was invalidated, or evicted: it is not to be believed. */
export function isKnownToL2(entry: Entry | undefined): boolean {
  return entry?.has(ENTRY_IN_L2) === true
}

/** What L2 says about the stale value that may be served meanwhile. */
function settleFallback(region: Region, flight: Flight, found: Found | 'silent' | undefined): void {
  if (found === 'silent') believe(flight)
  else if (found) {
    if (!found.fresh) keepStale(region, flight, found)
    if (!rest(flight, found.entry)) flight.offerStale(found.entry)
  } else if (!flight.invalidated && isKnownToL2(flight.fallback)) flight.dropFallback()
  else believe(flight)
}

/** Whether an entry of L2 is what this load was begun for. */
function satisfies(flight: Flight, found: Found): boolean {
  return (
    !flight.over && found.fresh && !flight.forced && found.entry.createdAt >= flight.minCreatedAt
  )
}

/**
 * The reply with the lease: another one, where L2 took for fresh what we reject. A record that is
 * missing is always leased, unless L2 takes no writes: then the load goes without.
 */
function leased(region: Region, flight: Flight, look: Look, index: number): MaybeLater<Asked> {
  const { reply, token } = look
  const isRejected =
    reply.records[index] !== undefined || region.core.remote?.doubts(flight.storeKey, [])
  if (reply.leases[index] !== undefined || token === undefined || !isRejected)
    return { look, index }
  return leaseAnyway(region, flight, look.until).then((another) =>
    another ? { look: another, index: 0 } : { look, index },
  )
}

/** The entry at a place of a reply, if it may be served to this flight, fresh or in its grace. */
function acceptable(
  region: Region,
  flight: Flight,
  look: Look,
  index: number,
): MaybeLater<Found | 'silent' | undefined> {
  const record = look.reply.records[index]
  if (!record) return undefined
  const { policy, storeKey, validity } = flight
  const sequence = validity.lookedSequence
  const copy = look.copies[index]
  const examined = { storeKey, policy, record, index, asked: look, sequence, copy }
  return andThen(examine(region, examined), (found) => {
    if (found === undefined || found === 'silent') return found
    if (validity.isInvalidatedSinceLook) return undefined
    // The call declares other tags than the entry was stored with: it would miss an invalidation.
    const isCovered = (tag: string): boolean =>
      found.tags.includes(tag) || region.scopeTags.includes(tag)
    return flight.tags.every(isCovered) ? found : undefined
  })
}

function giveBack(region: Region, flight: Flight, token: string | undefined): void {
  const { background, clock, remote } = region.core
  if (!remote || token === undefined) return
  const end = { kind: 'unused' } as const
  region.givenUp.note(flight.storeKey, token, end, clock.now())
  background.track(remote.release(flight.storeKey, token, end))
}
