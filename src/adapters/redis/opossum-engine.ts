import type CircuitBreaker from 'opossum'
import type { BreakerEngine } from '../../contracts/breaker-engine.ts'
import { breakerVerdict } from './breaker-verdict.ts'

const FAILURES_TO_OPEN = 5
/** opossum would let a user's call find out that the store is back: it never gets to that. */
const NEVER_MS = 2 ** 31 - 1
const ANSWERED = Promise.resolve()
const IGNORED: () => void = () => {}

type Breaker = CircuitBreaker<[outcome: unknown], void>

let Opossum: typeof CircuitBreaker | undefined

/**
 * Not by an import statement: importing `./redis` would take a third longer beyond its client. It is
 * there some milliseconds after the first cache with Redis was made; failures before that are counted
 * all the same.
 */
export async function loadOpossum(): Promise<typeof CircuitBreaker> {
  Opossum ??= (await import('opossum')).default
  return Opossum
}

/**
 * The breaker of one kind of operations, with opossum as its engine: it holds the state, counts and
 * emits its events. What it does not count is failures in a row: those are counted here, and open it.
 *
 * - Its own statistics never open it, whatever the rate of failures: the rate cannot exceed 100 %.
 * - It is told of outcomes, not handed the operations: deadlines are the cache's, and an opossum
 *   that is open or busy can neither delay nor reject anything.
 * - It probes nothing and rejects nothing: the cache has a flag in front, and probes by itself.
 * - No percentiles, no snapshots: they cost timers and memory for figures that nobody reads here.
 */
export class OpossumEngine implements BreakerEngine {
  readonly #kind: 'read' | 'write'
  #breaker: Breaker | undefined
  #failures = 0
  #isShutdown = false

  constructor(kind: 'read' | 'write') {
    this.#kind = kind
    if (Opossum) this.#make(Opossum)
    else void loadOpossum().then((loaded) => this.#make(loaded), IGNORED)
  }

  /**
   * For its events and its state; operations are not to be fired through it. `undefined` until opossum
   * is loaded, which takes some milliseconds from the first engine of the process on.
   */
  get breaker(): Breaker | undefined {
    return this.#breaker
  }

  get isOpen(): boolean {
    return this.#breaker ? this.#breaker.opened : this.#failures >= FAILURES_TO_OPEN
  }

  succeeded(): void {
    this.#failures = 0
    void this.#breaker?.fire(undefined)
  }

  failed(error: unknown): void {
    const verdict = breakerVerdict(error, this.#kind)
    // It never reached the server, and says nothing of how that is.
    if (verdict === 'silent') return
    this.#failures = verdict === 'failure' ? this.#failures + 1 : 0
    this.#breaker?.fire(new Outcome(error)).catch(IGNORED)
    if (this.#failures >= FAILURES_TO_OPEN) this.#breaker?.open()
  }

  close(): void {
    this.#failures = 0
    this.#breaker?.close()
  }

  shutdown(): void {
    this.#isShutdown = true
    this.#breaker?.shutdown()
  }

  #make(Breaker: typeof CircuitBreaker): void {
    if (this.#isShutdown) return
    const kind = this.#kind
    this.#breaker = new Breaker(tell, {
      name: `redis ${kind}`,
      timeout: false,
      resetTimeout: NEVER_MS,
      errorThresholdPercentage: 100,
      volumeThreshold: 10,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      errorFilter: (error: unknown) => breakerVerdict(error, kind) !== 'failure',
    })
    if (this.#failures >= FAILURES_TO_OPEN) this.#breaker.open()
  }
}

/** Whatever may be thrown, `undefined` included. */
class Outcome {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/** What opossum sees of an operation. Thrown at once, so that its state changes at once. */
function tell(outcome: unknown): Promise<void> {
  if (outcome instanceof Outcome) throw outcome.error
  return ANSWERED
}
