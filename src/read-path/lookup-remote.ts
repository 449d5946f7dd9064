import type { FruitlessLoads } from '../contracts/store.ts'
import { andThen } from '../kernel/maybe-later.ts'
import { believe, type Considered, consider } from './consider.ts'
import { emitHit } from './emit-hit.ts'
import type { Flight } from './flight.ts'
import { extendUnverified } from './freshness.ts'
import { type Look, lookUp } from './look-up.ts'
import { partsOf } from './parts-of.ts'
import type { Region } from './region.ts'
import { report } from './report.ts'

/** A load whose key another process is loading. */
export interface Held {
  readonly flight: Flight
  /** How such loads have ended so far. */
  readonly fruitless: FruitlessLoads | undefined
}

/** Told of each load that L2 has not answered, as soon as that is known. */
export interface Unanswered {
  /** To be loaded from the origin. */
  missing(flight: Flight): void
  held(held: Held): void
}

/**
 * Asks L2 for all flights together, and answers those it has a fresh entry for. Resolves when each of
 * them is answered, or told of. Never rejects.
 */
export async function lookUpRemote(
  region: Region,
  flights: readonly Flight[],
  unanswered: Unanswered,
): Promise<void> {
  if (!region.core.remote || !flights[0]?.policy.useL2) {
    for (const flight of flights) unanswered.missing(flight)
    return
  }
  const parts = partsOf(flights)
  if (parts.length === 1) await lookUpPart(region, flights, unanswered)
  else await Promise.all(parts.map((part) => lookUpPart(region, part, unanswered)))
}

async function lookUpPart(
  region: Region,
  flights: readonly Flight[],
  unanswered: Unanswered,
): Promise<void> {
  const look = await lookUp(region, flights)
  if (!look) {
    withoutL2(region, flights, unanswered)
    return
  }
  const later: Promise<void>[] = []
  flights.forEach((flight, index) => {
    const told = considerOne(region, flight, look, index, unanswered)
    if (told !== undefined) later.push(told)
  })
  if (later.length > 0) await Promise.all(later)
}

/** What goes wrong with one of them must not harm the others. */
function considerOne(
  region: Region,
  flight: Flight,
  look: Look,
  index: number,
  unanswered: Unanswered,
): Promise<void> | undefined {
  const tell = ({ verdict, fruitless }: Considered): void => {
    if (verdict === 'missing') unanswered.missing(flight)
    else if (verdict === 'held') unanswered.held({ flight, fruitless: fruitless?.count })
  }
  const failed = (error: unknown): void => {
    report(region.core, 'read', error)
    if (!flight.over) unanswered.missing(flight)
  }
  try {
    const told = andThen(consider(region, flight, look, index), tell)
    return told instanceof Promise ? told.catch(failed) : undefined
  } catch (error) {
    failed(error)
    return undefined
  }
}

/** L2 gave no reply: what L1 holds is as good as it gets, the rest goes to the origin unleased. */
function withoutL2(region: Region, flights: readonly Flight[], unanswered: Unanswered): void {
  const { clock, l1TtlMs } = region.core
  for (const flight of flights) {
    if (flight.fallback && flight.fallbackIsFresh && !flight.background) {
      extendUnverified(flight.fallback, clock.now(), l1TtlMs)
      flight.answerDegraded()
      emitHit(region, flight.key, 'l1')
    } else if (!flight.over) {
      believe(flight)
      if (!flight.over) unanswered.missing(flight)
    }
  }
}
