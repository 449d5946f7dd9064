import { ResilienceError } from '../kernel/errors.ts'
import { hit } from './answer-from-l1.ts'
import { judge } from './freshness.ts'
import type { InFlight } from './in-flight.ts'
import type { Outcome } from './outcome.ts'
import { readPast } from './read-past.ts'
import type { CallOptions, Read, TakeOff } from './read-request.ts'
import { takeOff } from './take-off.ts'

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
    ? readPast(request, entry, verdict, { minCreatedAt, call }, (late) => waitFor(request, late))
    : waitFor(request, { minCreatedAt, call })
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
  return read(request, call)
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
