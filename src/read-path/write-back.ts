import { toMs } from '../kernel/duration.ts'
import { ENTRY_COPY, ENTRY_ERROR, Entry, EntryMeta, packTags } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { copyOf, deepFreeze } from '../l1/sharing.ts'
import { estimateBytes } from '../l1/value-size.ts'
import { commit } from './commit.ts'
import type { Flight } from './flight.ts'
import { heat, unverify } from './freshness.ts'
import { entryOutcome, type Outcome } from './outcome.ts'
import type { Policy } from './policy.ts'
import type { Region } from './region.ts'
import { report } from './report.ts'

/** An error with its stack, roughly. */
const ERROR_BYTES = 1000

/** What the origin brought, and what it said about it. */
export interface Loaded {
  readonly value: unknown
  readonly durationMs: number
  /** By `setTtl`. */
  readonly ttlMs?: number | undefined
  /** By `setTags`, prefixed. */
  readonly tags: readonly string[]
  /** By `skip`. */
  readonly skip: boolean
}

/**
 * The result of a load goes to L1 and to the callers, then, with nobody waiting, to L2. If something
 * was invalidated since the load began, the callers get it and nothing is stored.
 */
export function storeLoaded(region: Region, flight: Flight, loaded: Loaded): void {
  const { policy } = flight
  const mayStore = !flight.over && !flight.outdated
  const entry = !mayStore ? undefined : entryOfLoaded(region, flight, loaded)
  if (!entry) {
    flight.succeed(plainOutcome(region, loaded.value), loaded.tags)
    flight.giveLeaseBack({ kind: mayStore ? 'unstored' : 'unused' })
    return
  }
  const outcome = entryOutcome(entry, 'origin', 'loaded')
  if (policy.mark) {
    entry.value = policy.mark(entry.value)
    prepareForL1(region, entry)
  }
  if (flight.raced) unverify(entry)
  // Otherwise another process may have loaded it meanwhile: L2 has to say that nobody has.
  const isOurs = flight.lease.isCertain(region.core.clock.now())
  if (isOurs && policy.useL1 && region.core.useL1) put(region, flight.key, entry, policy)
  flight.succeed(outcome, loaded.tags)
  const { writes } = region
  commit(region, flight, entry, loaded.tags, () => {
    // What was written or removed meanwhile stands: the load is over, and no more told of that.
    if (!isOurs && region.writes === writes) putConfirmed(region, flight, entry)
  })
}

/** L2 has taken what could not be put into L1 before. */
function putConfirmed(region: Region, flight: Flight, entry: Entry): void {
  const { key, policy } = flight
  const present = region.lru.peek(key)
  const isNewest = present === undefined || present.createdAt <= entry.createdAt
  if (!flight.outdated && isNewest && policy.useL1 && region.core.useL1) {
    put(region, key, entry, policy)
  }
}

/** A value that cannot be made an entry goes to its callers all the same. */
function entryOfLoaded(region: Region, flight: Flight, loaded: Loaded): Entry | undefined {
  try {
    return entryOf(region, flight.policy, loaded, flight.startedSequence)
  } catch (error) {
    report(region.core, 'store', error)
    return undefined
  }
}

/** An error is kept in L1 only, and only for `errorTtl`. */
export function storeError(region: Region, flight: Flight, error: unknown): void {
  const { policy } = flight
  const { core } = region
  if (policy.errorTtlMs > 0 && policy.useL1 && core.useL1 && !flight.outdated && !flight.fallback) {
    const now = core.clock.now()
    const entry = new Entry(error, now, now + policy.errorTtlMs, 0)
    entry.bytes = ERROR_BYTES
    entry.mark(ENTRY_ERROR)
    entry.meta = new EntryMeta(undefined, core.stamps.sequence, Number.POSITIVE_INFINITY)
    entry.meta.tags = packTags(flight.tags.filter((tag) => !region.scopeTags.includes(tag)))
    region.local.put(flight.key, entry)
  }
}

/** An entry for a value that is put in by hand or comes from the origin; undefined: not to be stored. */
export function entryOf(
  region: Region,
  policy: Policy,
  loaded: Loaded,
  sequence: number,
): Entry | undefined {
  const { core } = region
  const { value } = loaded
  if (loaded.skip || (policy.cacheIf && !policy.cacheIf(value))) return undefined
  const ttlMs = ttlOf(region, policy, loaded)
  if (ttlMs === undefined || (ttlMs <= 0 && policy.graceMs <= 0)) return undefined
  const now = core.clock.now()
  const jittered = policy.jitter > 0 ? ttlMs * (1 - policy.jitter * core.random()) : ttlMs
  const bounded = core.remote === undefined ? Math.min(jittered, core.l1TtlMs) : jittered
  const stored = core.sharing === 'clone' ? copyOf(value) : value
  const entry = new Entry(stored, now, Math.floor(now + bounded), loaded.durationMs)
  entry.bytes = sizeInL1(region, value, undefined)
  const hasL2 = core.remote !== undefined && policy.useL2
  if (loaded.tags.length > 0 || hasL2) {
    const localUntil = hasL2 ? now + core.l1TtlMs : Number.POSITIVE_INFINITY
    entry.meta = new EntryMeta(packTags(loaded.tags), sequence, localUntil)
  }
  prepareForL1(region, entry)
  return entry
}

/** Puts an entry into L1. */
export function put(region: Region, key: LocalKey, entry: Entry, policy: Policy): void {
  if (region.core.closed) return
  heat(entry, policy)
  region.local.put(key, entry)
}

/** Freezes what is shared; what cannot be frozen is marked, to be copied for each caller. */
export function prepareForL1(region: Region, entry: Entry): void {
  const { core } = region
  if (core.sharing !== 'freeze' || deepFreeze(entry.value)) return
  entry.mark(ENTRY_COPY)
  entry.value = copyOf(entry.value)
}

/** Only a bound in bytes needs the size; the payload's length is the cheaper measure where known. */
export function sizeInL1(region: Region, value: unknown, payloadBytes: number | undefined): number {
  if (region.core.budget.maxBytes === Number.POSITIVE_INFINITY) return 0
  return payloadBytes ?? estimateBytes(value)
}

function plainOutcome(region: Region, value: unknown): Outcome {
  const createdAt = region.core.clock.now()
  return { value, source: 'origin', kind: 'loaded', createdAt }
}

function ttlOf(region: Region, policy: Policy, loaded: Loaded): number | undefined {
  const { value } = loaded
  if (loaded.ttlMs !== undefined) return loaded.ttlMs
  if (policy.negativeTtlMs !== undefined && (value === null || value === undefined)) {
    return policy.negativeTtlMs
  }
  if (typeof policy.ttl === 'number') return policy.ttl
  try {
    return toMs(policy.ttl(value), `ttl of '${region.label}', as its function returned it,`)
  } catch (error) {
    report(region.core, 'ttl', error)
    return undefined
  }
}
