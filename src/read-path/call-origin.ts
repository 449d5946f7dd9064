import { ResilienceError } from '../kernel/errors.ts'
import { failLoad } from './fail-load.ts'
import type { Flight } from './flight.ts'
import { GuardedCall } from './guarded-call.ts'
import { keepLeases } from './keep-leases.ts'
import { LoadNotes, manyContext } from './load-notes.ts'
import type { Region } from './region.ts'
import { storeLoaded } from './write-back.ts'

/** Loads many keys at once: values in the order of the argument lists; an Error fails its key. */
export type ManyOrigin = (
  argumentLists: ReadonlyArray<readonly unknown[]>,
  context: unknown,
) => unknown

/** The last step of a load: the origin, under the guard, within the cap on loads. Never rejects. */
export function callOrigin(region: Region, flight: Flight): Promise<void> {
  return inPlace(region, [flight], () => callForOne(region, flight))
}

/** One call of `manyOrigin` for all keys that no level had. Never rejects. */
export function callOriginOfMany(
  region: Region,
  flights: readonly Flight[],
  manyOrigin: ManyOrigin,
): Promise<void> {
  return inPlace(region, flights, (wanted) => callForMany(region, wanted, manyOrigin))
}

async function callForOne(region: Region, flight: Flight): Promise<void> {
  const { core } = region
  const { policy } = flight
  const startedAt = core.clock.now()
  const newNotes = (): LoadNotes => new LoadNotes(region, flight)
  const call = new GuardedCall(policy.guard, newNotes(), policy.context ? newNotes : undefined)
  try {
    const value = await call.run(
      () => flight.signal,
      (notes, signal) => {
        called(region, [flight])
        return flight.origin(flight.args, policy.context ? notes.context(signal) : undefined)
      },
    )
    const durationMs = core.clock.now() - startedAt
    if (flight.calling) emitOrigin(region, durationMs, flight.abortKind ?? 'ok')
    if (call.stoodIn) failLoad(region, flight, call.stoodIn.error, { value })
    else storeLoaded(region, flight, call.notes.result(value, durationMs))
  } catch (error) {
    if (flight.calling) {
      emitOrigin(region, core.clock.now() - startedAt, flight.abortKind ?? 'error')
    }
    failLoad(region, flight, error)
  }
}

async function callForMany(
  region: Region,
  flights: readonly Flight[],
  manyOrigin: ManyOrigin,
): Promise<void> {
  const { core } = region
  const policy = (flights[0] as Flight).policy
  const newNotes = (): LoadNotes[] => flights.map((flight) => new LoadNotes(region, flight))
  const call = new GuardedCall(policy.guard, newNotes(), policy.context ? newNotes : undefined)
  const controller = new AbortController()
  const stopWatching = abortWithAll(flights, controller)
  const startedAt = core.clock.now()
  try {
    const brought = await call.run(
      () => controller.signal,
      (notes, signal) => {
        called(region, flights)
        return manyOrigin(
          flights.map((flight) => flight.args),
          policy.context ? manyContext(notes, signal) : undefined,
        )
      },
    )
    const durationMs = core.clock.now() - startedAt
    const { notes, stoodIn } = call
    if (flights[0]?.calling) emitOrigin(region, durationMs, 'ok')
    const values = onePerKey(region, brought, flights.length, stoodIn !== undefined)
    flights.forEach((flight, i) => {
      const value = values[i]
      if (stoodIn) failLoad(region, flight, stoodIn.error, { value })
      else if (value instanceof Error) failLoad(region, flight, value)
      else storeLoaded(region, flight, (notes[i] as LoadNotes).result(value, durationMs))
    })
  } catch (error) {
    if (flights[0]?.calling) emitOrigin(region, core.clock.now() - startedAt, 'error')
    for (const flight of flights) failLoad(region, flight, error)
  } finally {
    stopWatching()
  }
}

/**
 * Runs `call` for the flights that are still wanted when there is a place among the loads. While
 * there is none, those who have something stale get it, and their load is given up. When all flights
 * have ended, the place is free again, whatever their origin is still doing: one that hangs must not
 * keep the others out.
 */
async function inPlace(
  region: Region,
  flights: readonly Flight[],
  call: (wanted: readonly Flight[]) => Promise<void>,
): Promise<void> {
  const { loads } = region.core
  const stopRenewing = keepLeases(region, flights)
  const ended = Promise.allSettled(flights.map((flight) => flight.final))
  if (loads.full) serveStaleInstead(region, flights)
  const hasPlace = await loads.acquire(ended)
  const wanted = flights.filter((flight) => !flight.isAsGoodAsOver)
  for (const flight of flights) if (flight.over) flight.giveLeaseBack({ kind: 'unused' })
  if (wanted.length > 0) await Promise.race([call(wanted), ended])
  if (hasPlace) loads.release()
  stopRenewing()
}

function serveStaleInstead(region: Region, flights: readonly Flight[]): void {
  const capped = new ResilienceError(
    'ERR_BULKHEAD_FULL',
    `too many loads run at the same time in the cache '${region.core.name}' (maxLoads)`,
  )
  for (const flight of flights) {
    if (flight.usable && !flight.forced) flight.fail(capped, 'stale-capped')
  }
}

function called(region: Region, flights: readonly Flight[]): void {
  region.originCalls++
  for (const flight of flights) {
    // Written before, so the origin shows it. Not so in a later attempt: an earlier one may still win.
    if (!flight.calling) flight.overtaken = false
    flight.calling = true
  }
}

/** The call for many keys is given up when the loads of all of them are. */
function abortWithAll(flights: readonly Flight[], controller: AbortController): () => void {
  let left = flights.length
  const onAbort = (): void => {
    left--
    if (left === 0) controller.abort(flights[0]?.signal.reason)
  }
  for (const { signal } of flights) signal.addEventListener('abort', onAbort, { once: true })
  return () => {
    for (const { signal } of flights) signal.removeEventListener('abort', onAbort)
  }
}

/** A fallback need not know of how many keys it is asked for: what it gives may stand in for each. */
function onePerKey(
  region: Region,
  values: unknown,
  length: number,
  isStandIn: boolean,
): readonly unknown[] {
  if (Array.isArray(values) && values.length === length) return values
  if (isStandIn) return Array.from({ length }, () => values)
  const got = Array.isArray(values) ? `${values.length} values` : 'no array'
  throw new ResilienceError(
    'ERR_INVALID_OPTION',
    `manyOrigin of '${region.label}' must return one value per argument list, in their order: ` +
      `expected ${length}, got ${got}`,
  )
}

function emitOrigin(
  region: Region,
  durationMs: number,
  result: 'ok' | 'error' | 'timeout' | 'aborted',
): void {
  const { core, label } = region
  if (core.events.has('origin')) {
    core.events.emit('origin', { cache: core.name, function: label, durationMs, result })
  }
}
