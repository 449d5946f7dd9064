import { isRunner } from '../contracts/runner.ts'
import { type Duration, toMs } from '../kernel/duration.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { checkTags } from '../kernel/options.ts'
import type { Flight } from './flight.ts'
import type { LoadContext, Policy } from './policy.ts'
import type { Region } from './region.ts'
import { release, report, storeError, storeLoaded } from './write-back.ts'

/** Loads many keys at once: values in the order of the argument lists; an Error fails its key. */
export type ManyOrigin = (
  argumentLists: ReadonlyArray<readonly unknown[]>,
  context: unknown,
) => unknown

const LEASE_MS = 5000
const RENEW_MS = 1600

/** The last step of a load: the origin, under the guard, within the cap on loads. Never rejects. */
export async function callOrigin(region: Region, flight: Flight): Promise<void> {
  if (!(await admitted(region, [flight]))) return
  const { core } = region
  const stopRenewing = keepLeases(region, [flight])
  const notes = new LoadNotes(region, flight)
  const startedAt = core.clock.now()
  try {
    const context = flight.policy.context ? notes.context(() => flight.signal) : undefined
    const value = await guarded(
      flight.policy,
      () => flight.signal,
      () => {
        region.originCalls++
        return flight.origin(flight.args, context)
      },
    )
    const durationMs = core.clock.now() - startedAt
    emitOrigin(region, durationMs, flight.abortKind ?? 'ok')
    storeLoaded(region, flight, notes.result(value, durationMs))
  } catch (error) {
    emitOrigin(region, core.clock.now() - startedAt, flight.abortKind ?? 'error')
    failed(region, flight, error)
  } finally {
    stopRenewing()
    core.loads.release()
  }
}

/** One call of `manyOrigin` for all keys that no level had. Never rejects. */
export async function callOriginOfMany(
  region: Region,
  flights: readonly Flight[],
  manyOrigin: ManyOrigin,
): Promise<void> {
  if (!(await admitted(region, flights))) return
  const { core } = region
  const policy = (flights[0] as Flight).policy
  const stopRenewing = keepLeases(region, flights)
  const notes = flights.map((flight) => new LoadNotes(region, flight))
  const controller = new AbortController()
  const stopWatching = abortWithAll(flights, controller)
  const startedAt = core.clock.now()
  try {
    const context = policy.context ? manyContext(notes, () => controller.signal) : undefined
    const values = await guarded(
      policy,
      () => controller.signal,
      () => {
        region.originCalls++
        return manyOrigin(
          flights.map((flight) => flight.args),
          context,
        )
      },
    )
    const durationMs = core.clock.now() - startedAt
    emitOrigin(region, durationMs, 'ok')
    checkLength(region, values, flights.length)
    flights.forEach((flight, i) => {
      const value = (values as readonly unknown[])[i]
      if (value instanceof Error) failed(region, flight, value)
      else storeLoaded(region, flight, (notes[i] as LoadNotes).result(value, durationMs))
    })
  } catch (error) {
    emitOrigin(region, core.clock.now() - startedAt, 'error')
    for (const flight of flights) failed(region, flight, error)
  } finally {
    stopWatching()
    stopRenewing()
    core.loads.release()
  }
}

/** What the origin says about its own result. */
class LoadNotes {
  #ttlMs: number | undefined
  #tags: readonly string[] = []
  #skip = false
  readonly #region: Region
  readonly #flight: Flight

  constructor(region: Region, flight: Flight) {
    this.#region = region
    this.#flight = flight
  }

  context(signal: () => AbortSignal): LoadContext {
    const notes = this
    return {
      get signal() {
        return signal()
      },
      stale: this.#flight.fallback?.value,
      setTtl(ttl: Duration) {
        notes.#ttlMs = toMs(ttl, 'setTtl')
      },
      setTags(tags: readonly string[]) {
        checkTags(tags, 'setTags()')
        notes.#tags = tags.map((tag) => notes.#region.tag(tag))
      },
      skip() {
        notes.#skip = true
      },
    }
  }

  result(value: unknown, durationMs: number) {
    const { scopeTags } = this.#region
    const declared = this.#flight.tags.filter((tag) => !scopeTags.includes(tag))
    const tags = this.#tags.length > 0 ? [...new Set([...declared, ...this.#tags])] : declared
    return { value, durationMs, ttlMs: this.#ttlMs, tags, skip: this.#skip }
  }
}

/** What a load of many keys says holds for all of them. */
function manyContext(notes: readonly LoadNotes[], signal: () => AbortSignal): LoadContext {
  const contexts = notes.map((note) => note.context(signal))
  return {
    get signal() {
      return signal()
    },
    stale: undefined,
    setTtl: (ttl) => contexts.forEach((context) => void context.setTtl(ttl)),
    setTags: (tags) => contexts.forEach((context) => void context.setTags(tags)),
    skip: () => contexts.forEach((context) => void context.skip()),
  }
}

/** Any limiter of another library takes `() => promise`; ours are handed the signal. */
function guarded(
  policy: Policy,
  signal: () => AbortSignal,
  task: () => unknown,
): PromiseLike<unknown> | unknown {
  const { guard } = policy
  if (guard === undefined) return task()
  if (isRunner(guard)) return guard(task, { signal: signal() })
  return guard(task)
}

/**
 * Waits for a place among the loads. While there is none, those who have something stale get it, and
 * their load is given up.
 */
async function admitted(region: Region, flights: readonly Flight[]): Promise<boolean> {
  const { loads } = region.core
  if (!loads.tryAcquire()) {
    const capped = new ResilienceError(
      'ERR_BULKHEAD_FULL',
      `too many loads run at the same time in the cache '${region.core.name}' (maxLoads)`,
    )
    for (const flight of flights) {
      if (flight.usable && !flight.forced) flight.fail(capped, 'stale-capped')
    }
    await loads.acquire()
  }
  if (flights.every((flight) => flight.over)) {
    loads.release()
    for (const flight of flights) release(region, flight)
    return false
  }
  for (const flight of flights) {
    flight.calling = true
    flight.overtaken = false
  }
  return true
}

function failed(region: Region, flight: Flight, error: unknown): void {
  if (flight.over) {
    release(region, flight)
    return
  }
  region.originErrors++
  const { background } = flight
  flight.backOff()
  storeError(region, flight, error)
  flight.fail(error)
  if (background) report(region.core, 'refresh', error)
}

/** Leases last 5 s; a load that takes longer keeps its own alive. */
function keepLeases(region: Region, flights: readonly Flight[]): () => void {
  const { background, clock, remote } = region.core
  const leased = flights.filter((flight) => flight.fence?.token !== undefined)
  if (!remote || leased.length === 0) return () => {}
  let timer: unknown
  const renew = (): void => {
    let renewing = 0
    for (const flight of leased) {
      const { key, fence, over } = flight
      if (over || !fence?.token) continue
      renewing++
      const renewed = remote.renew(region.storeKey(key), fence.token, LEASE_MS)
      background.track(renewed.then((ours) => ours === false && flight.detach()))
    }
    // An origin that never ends must not keep its timer: nobody waits for it any more.
    if (renewing === 0) return
    timer = clock.setTimeout(renew, RENEW_MS, { unref: true })
  }
  timer = clock.setTimeout(renew, RENEW_MS, { unref: true })
  return () => clock.clearTimeout(timer)
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

function checkLength(region: Region, values: unknown, length: number): void {
  if (Array.isArray(values) && values.length === length) return
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
