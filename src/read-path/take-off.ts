import type { Entry } from '../l1/entry.ts'
import { depart } from './departures.ts'
import { Flight } from './flight.ts'
import { backOff, CLOCK_ERROR_MS } from './freshness.ts'
import type { InFlight } from './in-flight.ts'
import { load } from './load.ts'
import type { CallOptions, Read, TakeOff } from './read-request.ts'
import { report } from './report.ts'
import { tagsOf } from './tags-of.ts'

/** Joins the flight of the key, or starts one. */
export function takeOff(request: Read, options: TakeOff): InFlight {
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

export function isJoined(running: InFlight, call: CallOptions | undefined): boolean {
  const { outdated, overtaken, raced } = running
  return !outdated && !overtaken && !raced && (!call?.reload || running.forced)
}

/** It asks L2 for no more than any other load does. */
function isAlike({ forced, minCreatedAt, policy, region }: Flight): boolean {
  return (
    region.core.remote !== undefined &&
    policy.useL2 &&
    !forced &&
    minCreatedAt === Number.NEGATIVE_INFINITY
  )
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
    if (launch?.(flight)) return flight
    if (isAlike(flight)) depart(flight)
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

/** Starts a refresh unless one is under way, or as many loads run as may. */
export function refreshInBackground(request: Read, entry: Entry, entryIsFresh: boolean): void {
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
export function refreshTags(
  { region, policy, args }: Read,
  entry: Entry,
): readonly string[] | undefined {
  const { core } = region
  try {
    return tagsOf(region, policy, args)
  } catch (error) {
    report(core, 'tags', error)
    backOff(entry, policy, core.stamps, core.clock.now())
    return undefined
  }
}
