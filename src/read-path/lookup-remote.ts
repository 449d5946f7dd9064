import type { FruitlessLoads } from '../contracts/store.ts'
import { believe, consider } from './consider.ts'
import { emitHit } from './emit-hit.ts'
import type { Flight } from './flight.ts'
import { extendUnverified } from './freshness.ts'
import { lookUp } from './look-up.ts'
import { partsOf } from './parts-of.ts'
import type { Region } from './region.ts'

/** A load whose key another process is loading. */
export interface Held {
  readonly flight: Flight
  /** How such loads have ended so far. */
  readonly fruitless: FruitlessLoads | undefined
}

interface Looked {
  /** To be loaded from the origin. */
  readonly missing: Flight[]
  readonly held: Held[]
}

/** Asks L2 for all flights together, and answers those it has a fresh entry for. */
export async function lookUpRemote(region: Region, flights: readonly Flight[]): Promise<Looked> {
  const looked: Looked = { missing: [], held: [] }
  if (!region.core.remote || !flights[0]?.policy.useL2) return { missing: [...flights], held: [] }
  await Promise.all(partsOf(flights).map((part) => lookUpPart(region, part, looked)))
  return looked
}

async function lookUpPart(
  region: Region,
  flights: readonly Flight[],
  looked: Looked,
): Promise<void> {
  const look = await lookUp(region, flights)
  if (!look) {
    withoutL2(region, flights, looked)
    return
  }
  await Promise.all(
    flights.map(async (flight, index) => {
      const { verdict, fruitless } = await consider(region, flight, look, index)
      if (verdict === 'missing') looked.missing.push(flight)
      else if (verdict === 'held') looked.held.push({ flight, fruitless: fruitless?.count })
    }),
  )
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
