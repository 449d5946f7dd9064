import type { BreakerGate } from '../../contracts/permit.ts'
import { asRunner, type Runner } from '../../contracts/runner.ts'
import type { BreakerEvents, BreakerStats } from './breaker-events.ts'
import type { CircuitBreakerOptions } from './breaker-options.ts'
import { Circuit } from './circuit.ts'
import { resolveBreakerOptions } from './resolve-options.ts'
import { runUnderCircuit } from './run-under-circuit.ts'
import { type BreakerSnapshot, type BreakerState, readSnapshot } from './snapshot.ts'

/**
 * Keeps calls away from a dependency that fails. A {@link Runner}: `breaker((signal) => fetch(url, {
 * signal }))`.
 *
 * A call rejects with what its task rejects with; with `ERR_CIRCUIT_OPEN` where it is turned away (the
 * error, which may be shared by many calls, has `retryAfterMs` while the breaker is open); with
 * `ERR_TIMEOUT` at `timeout`, the time-out of a probe, or the deadline of the call; with `ERR_ABORTED`
 * at the abort of the call's signal.
 */
export interface CircuitBreaker extends Runner, BreakerGate {
  readonly name: string
  /** `half-open` as soon as the open time is over, even if no call has come yet. */
  readonly state: BreakerState
  /** The same function, each of its calls through the breaker, with its `this`. */
  wrap<S, A extends unknown[], R>(
    fn: (this: S, ...args: A) => PromiseLike<R> | R,
  ): (this: S, ...args: A) => Promise<R>
  /**
   * Turns every call away until what it returns is disposed, by each who has isolated it, or until
   * `reset()`. Time goes on meanwhile: a breaker that was open may be half-open afterwards.
   * @param reason appears in the error and in the snapshot
   */
  isolate(reason?: string): Disposable
  /** Closes it, whatever it was, and forgets what it has counted. Ends every isolation. */
  reset(): void
  /** For the option `state` of a breaker in the next process: it stays open as long as this one would. */
  snapshot(): BreakerSnapshot
  /** @returns a function that stops listening */
  on<N extends keyof BreakerEvents>(
    event: N,
    listener: (event: BreakerEvents[N]) => unknown,
  ): () => void
  /** Counters since it was made. */
  stats(): BreakerStats
}

/**
 * A breaker that opens when calls fail or are slow too often, rejects while it is open, and closes when
 * a probe succeeds. The states are those of M. Nygard, "Release It!" (2007); opossum is the engine.
 *
 * It has no timer while it is closed and idle. Time-outs of calls and probes have theirs, and so has the
 * engine while it is open: one that does not keep the process alive.
 * @throws ERR_INVALID_OPTION
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  return breakerOf(new Circuit(resolveBreakerOptions(options), readSnapshot(options.state)))
}

export function breakerOf(circuit: Circuit): CircuitBreaker {
  const run: Runner = (task, options) => runUnderCircuit(circuit, task, options)
  return asRunner(run, {
    name: circuit.settings.name,
    get state() {
      return circuit.state
    },
    wrap<S, A extends unknown[], R>(fn: (this: S, ...args: A) => PromiseLike<R> | R) {
      return function (this: S, ...args: A): Promise<R> {
        return runUnderCircuit(circuit, () => fn.apply(this, args))
      }
    },
    admit: () => circuit.admit(),
    isolate: (reason?: string) => circuit.isolate(reason),
    reset: () => circuit.reset(),
    snapshot: () => circuit.snapshot(),
    on<N extends keyof BreakerEvents>(event: N, listener: (event: BreakerEvents[N]) => unknown) {
      return circuit.on(event, listener)
    },
    stats: () => ({ ...circuit.stats }),
  })
}
