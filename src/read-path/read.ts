import { ResilienceError } from '../kernel/errors.ts'
import { ENTRY_ERROR, type Entry } from '../l1/entry.ts'
import type { LocalKey } from '../l1/local-level.ts'
import { emitHit } from './emit-hit.ts'
import { emitStale } from './emit-stale.ts'
import { Flight, type Origin } from './flight.ts'
import {
  backOff,
  CLOCK_ERROR_MS,
  extendUnverified,
  isUnverified,
  judge,
  type Verdict,
  wantsRefresh,
} from './freshness.ts'
import type { InFlight } from './in-flight.ts'
import { load } from './load.ts'
import { isKnownToL2 } from './lookup-remote.ts'
import { entryOutcome, type Outcome } from './outcome.ts'
import type { Policy } from './policy.ts'
import { fromRemote } from './read-plain.ts'
import type { Region } from './region.ts'
import { report } from './report.ts'

/** One read: which function, which key, and how to load what is missing. */
export interface Read {
  readonly region: Region
  readonly policy: Policy
  readonly key: LocalKey
  readonly args: readonly unknown[]
  readonly origin: Origin
  /** Takes a new flight instead of starting it by itself: many reads are loaded together. */
  readonly launch?: (flight: Flight) => void
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

/**
 * The life of a read, after the fast path of the wrapper has found no hot entry:
 * L1, else the flight that is under way for the key, else a new one (which asks L2, then the origin).
 * A stale entry is served at once, or after `softTimeout`, while the flight goes on.
 */
export function read(request: Read, call?: CallOptions): Outcome | Promise<Outcome> {
  const { region, policy, key } = request
  const { core } = region
  if (core.closed) return Promise.reject(closedError(core.name))
  if (call?.signal?.aborted) return Promise.reject(abortedError(call.signal))
  const now = core.clock.now()
  if (core.clock.coarse.now === Number.POSITIVE_INFINITY) core.clock.wake()

  const minCreatedAt = oldest(now, call)
  const entry = policy.useL1 ? region.lru.get(key) : undefined
  const verdict = entry === undefined ? 'dead' : judge(entry, policy, core.stamps, now)
  if (entry !== undefined && verdict === 'dead') region.lru.delete(key)
  if (verdict === 'fresh' && entry !== undefined && entry.createdAt >= minCreatedAt) {
    return hit(request, entry, now)
  }
  return entry !== undefined && verdict !== 'dead'
    ? readPast(request, entry, verdict, minCreatedAt, call)
    : waitFor(request, { minCreatedAt, call })
}

function hit(request: Read, entry: Entry, now: number): Outcome | Promise<Outcome> {
  const { region, policy } = request
  const { core } = region
  if (entry.has(ENTRY_ERROR)) {
    region.hits++
    return Promise.reject(entry.value)
  }
  region.hits++
  emitHit(region, request.key, 'l1')
  if (wantsRefresh(entry, policy, now, core.random)) refreshInBackground(request, entry, true)
  return entryOutcome(entry, 'l1', 'hit')
}

/** There is an entry, but it is stale, unverified or older than this caller accepts. */
function readPast(
  request: Read,
  entry: Entry,
  verdict: Verdict,
  minCreatedAt: number,
  call: CallOptions | undefined,
): Outcome | Promise<Outcome> {
  const { region, policy } = request
  const { core } = region
  const usable = entry.createdAt >= minCreatedAt
  if (!usable) return waitFor(request, { minCreatedAt, call })
  const running = region.flights.get(request.key)
  // It does not answer as soon as L2 has: it waits for the origin, or for another process.
  const isLong = running?.forced || running?.looked || running?.background
  if (verdict === 'unverified') {
    if (!core.remote?.usable) return degradedHit(request, entry)
    if (isLong) return compare(request, minCreatedAt, call)
    const options = { minCreatedAt, call, entry, entryIsFresh: true, unverified: true }
    return waitUnless(request, options, () => compare(request, minCreatedAt, call))
  }
  const now = core.clock.now()
  if (isUnverified(entry, now) && core.remote?.usable && !isLong) {
    return waitFor(request, { minCreatedAt, call, entry, unverified: true })
  }
  if (entry.meta !== undefined && now < entry.meta.retryAt) {
    return serveStale(request, entry, 'stale-error')
  }
  // A reload shows its failure to those who wait for it: whoever has something stale does not.
  const waits = policy.softTimeoutMs > 0 && !running?.softElapsed && !running?.forced
  if (waits) {
    running?.offerStale(entry)
    const options = { minCreatedAt, call, entry }
    return waitUnless(request, options, () => serveStale(request, entry, 'stale-error'))
  }
  const elapsed = running?.softElapsed && policy.softTimeoutMs > 0
  refreshInBackground(request, entry, false)
  return serveStale(request, entry, elapsed ? 'stale-timeout' : 'stale-while-revalidate')
}

/** Waits for the load of the key, unless it would have to be begun and its tags cannot be named. */
function waitUnless(
  request: Read,
  options: TakeOff & { entry: Entry },
  instead: () => Outcome | Promise<Outcome>,
): Outcome | Promise<Outcome> {
  const running = request.region.flights.get(request.key)
  if (running && isJoined(running, options.call)) return waitFor(request, options)
  const tags = refreshTags(request, options.entry)
  return tags ? waitFor(request, { ...options, tags }) : instead()
}

/** Compares the copy with L2 beside the load under way, and joins that only if there is nothing else. */
async function compare(
  request: Read,
  minCreatedAt: number,
  call: CallOptions | undefined,
): Promise<Outcome> {
  const { region, key, policy } = request
  const { clock, stamps } = region.core
  const found = await fromRemote(region, [key], policy)
  const fresh = found?.get(key)
  if (fresh && fresh.createdAt >= minCreatedAt) {
    region.hitsL2++
    emitHit(region, key, 'l2')
    return entryOutcome(fresh, 'l2', 'promoted')
  }
  const entry = region.lru.get(key)
  const verdict = entry ? judge(entry, policy, stamps, clock.now()) : 'dead'
  if (!entry || verdict === 'dead') return waitFor(request, { minCreatedAt, call })
  if (verdict === 'fresh') return hit(request, entry, clock.now())
  if (verdict === 'unverified') {
    if (!found) return degradedHit(request, entry)
    if (policy.graceMs === 0 || isKnownToL2(entry)) return waitFor(request, { minCreatedAt, call })
  }
  refreshInBackground(request, entry, false)
  return serveStale(request, entry, 'stale-while-revalidate')
}

function serveStale(
  { region, key }: Read,
  entry: Entry,
  kind: 'stale-while-revalidate' | 'stale-timeout' | 'stale-error',
): Outcome {
  region.stale++
  emitStale(region, key, kind)
  return entryOutcome(entry, 'stale', kind)
}

/** L2 cannot be asked: the copy is fresh by its own ttl, and is served for another while. */
function degradedHit({ region, key }: Read, entry: Entry): Outcome {
  const { core } = region
  extendUnverified(entry, core.clock.now(), core.l1TtlMs)
  region.hits++
  emitHit(region, key, 'l1')
  return entryOutcome(entry, 'l1', 'degraded')
}

/** Starts a refresh unless one is under way, or as many loads run as may. */
function refreshInBackground(request: Read, entry: Entry, entryIsFresh: boolean): void {
  const { region, key } = request
  const running = region.flights.get(key)
  if (running && !running.outdated) return
  if (region.core.loads.full) return
  const tags = refreshTags(request, entry)
  if (!tags) return
  running?.supersede()
  start(request, {
    tags,
    entry,
    entryIsFresh,
    unverified: false,
    background: true,
    forced: false,
    // Another process may have refreshed it already: what is newer than ours will do.
    minCreatedAt: entryIsFresh ? entry.createdAt + CLOCK_ERROR_MS : Number.NEGATIVE_INFINITY,
  })
}

/** Whoever has a value does not pay for tags that cannot be named: the refresh has failed. */
function refreshTags({ region, policy, args }: Read, entry: Entry): readonly string[] | undefined {
  const { core } = region
  try {
    return tagsOf(region, policy, args)
  } catch (error) {
    report(core, 'tags', error)
    backOff(entry, policy, core.stamps, core.clock.now())
    return undefined
  }
}

interface TakeOff {
  readonly minCreatedAt: number
  readonly call: CallOptions | undefined
  readonly entry?: Entry
  readonly entryIsFresh?: boolean
  readonly unverified?: boolean
  /** Where they are known already. */
  readonly tags?: readonly string[]
}

/** Joins the flight of the key, or starts one. */
function takeOff(request: Read, options: TakeOff): InFlight {
  const { region, key } = request
  const running = region.flights.get(key)
  if (running && isJoined(running, options.call)) {
    region.coalesced++
    return running
  }
  const tags = options.tags ?? tagsOf(region, request.policy, request.args)
  running?.supersede()
  return start(request, {
    tags,
    entry: options.entry,
    entryIsFresh: options.entryIsFresh ?? false,
    unverified: options.unverified ?? false,
    background: false,
    forced: options.call?.reload === true,
    minCreatedAt: options.minCreatedAt,
  })
}

function isJoined(running: InFlight, call: CallOptions | undefined): boolean {
  return !running.outdated && !running.overtaken && (!call?.reload || running.forced)
}

interface StartOptions {
  readonly tags: readonly string[]
  readonly entry: Entry | undefined
  readonly entryIsFresh: boolean
  readonly unverified: boolean
  readonly background: boolean
  readonly forced: boolean
  readonly minCreatedAt: number
}

function start(request: Read, options: StartOptions): Flight {
  const { region, launch } = request
  return region.inOwnContext(() => {
    const flight = newFlight(request, options)
    if (launch) launch(flight)
    else region.core.background.track(load(region, [flight], undefined))
    return flight
  })
}

function newFlight(request: Read, options: StartOptions): Flight {
  const { region, policy, key, args, origin } = request
  return new Flight(region, {
    key,
    args,
    policy,
    origin,
    tags: options.tags,
    background: options.background,
    forced: options.forced,
    minCreatedAt: options.minCreatedAt,
    fallback: options.entry,
    fallbackIsFresh: options.entryIsFresh,
    unverified: options.unverified,
  })
}

/** Scope tags first, then the declared ones. */
export function tagsOf(
  region: Region,
  policy: Policy,
  args: readonly unknown[],
): readonly string[] {
  if (policy.tags === undefined) return region.scopeTags
  const declared = (policy.tags as (...args: readonly unknown[]) => readonly string[])(...args)
  return [...region.scopeTags, ...declared.map((tag) => region.tag(tag))]
}

/** This caller's wait for the flight of the key. */
function waitFor(request: Read, options: TakeOff): Promise<Outcome> {
  const { call, minCreatedAt } = options
  const flight = takeOff(request, options)
  const { sequence } = request.region.core.stamps
  let wanted = flight.join()
  if (sequence !== flight.startedSequence) {
    // A tag that only the result shows may be among those invalidated before this caller came.
    wanted = wanted.then((outcome) =>
      flight.foundOutdated ? readAnew(request, outcome, call) : outcome,
    )
  }
  if (call?.maxAgeMs !== undefined && !call.reload) {
    const isEnough = (outcome: Outcome): boolean => outcome.createdAt >= minCreatedAt
    // The flight may have answered with a stale value, or been content with less.
    wanted = wanted
      .then((outcome) => (isEnough(outcome) ? outcome : flight.final))
      .then((outcome) =>
        isEnough(outcome) ? outcome : readAnew(request, outcome, { ...call, reload: true }),
      )
  }
  return call?.signal ? untilAborted(flight, wanted, call.signal) : wanted
}

/** The outcome of the load it joined is no answer for this caller after all; it is counted once. */
function readAnew(
  request: Read,
  outcome: Outcome,
  call: CallOptions | undefined,
): Outcome | Promise<Outcome> {
  // It has left, and was not counted.
  if (call?.signal?.aborted) return outcome
  request.region.count(outcome.source, -1)
  // Those it was to be loaded together with have gone ahead.
  const { launch: _, ...alone } = request
  return read(alone, call)
}

/** The signal ends this caller's wait, not the load of the others. */
function untilAborted(
  flight: InFlight,
  wanted: Promise<Outcome>,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise<Outcome>((resolve, reject) => {
    const onAbort = (): void => {
      flight.leave()
      reject(abortedError(signal))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const done = (): void => signal.removeEventListener('abort', onAbort)
    wanted.then(
      (outcome) => {
        done()
        resolve(outcome)
      },
      (error: unknown) => {
        done()
        reject(error)
      },
    )
  })
}

function oldest(now: number, call: CallOptions | undefined): number {
  if (call?.reload) return Number.POSITIVE_INFINITY
  return call?.maxAgeMs === undefined ? Number.NEGATIVE_INFINITY : now - call.maxAgeMs
}

export function closedError(name: string): ResilienceError {
  return new ResilienceError('ERR_CLOSED', `the cache '${name}' is closed; create another one`)
}

function abortedError(signal: AbortSignal): ResilienceError {
  return new ResilienceError('ERR_ABORTED', 'the call was aborted by its signal', {
    cause: signal.reason,
  })
}
