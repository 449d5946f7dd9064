import type { Clock } from '../contracts/clock.ts'
import type { Coherence, Store, StoreSource, StoreState, StoreSupport } from '../contracts/store.ts'
import type { GateState } from './gate.ts'

export interface RemoteHealth {
  readonly state: 'connecting' | 'ready' | 'suspect' | 'down'
  readonly source: StoreSource
  /** As it is at present: `ttl-only` where the server that was reached cannot tell others. */
  readonly coherence: Coherence
  /** Whether check, write and count are one atomic step on the server that was reached. */
  readonly scripts: boolean
  /** L2 takes no writes at present: invalidations are kept and told to it when it does. */
  readonly readOnly: boolean
  readonly breaker: { readonly read: GateState; readonly write: GateState }
  /**
   * Deadlines of L2 that passed only because this process was blocked, in a long computation or
   * without a processor: L2 had answered, and they do not count against it.
   */
  readonly timeoutsIgnored: number
  readonly lastError?: string
  /** When the state last changed, in milliseconds since 1970. */
  readonly since: number
}

/** What the store says of itself, over what it was declared to be. */
export class StoreStatus {
  since: number
  lastError: unknown
  readonly #store: Store
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #state: StoreState
  #wasReady = false
  #connections = 0

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#state = { state: 'connecting', source: store.source }
    this.since = clock.wall()
  }

  get state(): StoreState['state'] {
    return this.#state.state
  }

  get source(): StoreSource {
    return this.#state.source
  }

  get supports(): StoreSupport {
    return this.#state.supports ?? this.#store.supports
  }

  get coherence(): Coherence {
    return this.#state.coherence ?? this.#store.coherence
  }

  get readOnly(): boolean {
    return this.#state.readOnly === true
  }

  /** Whether it was ready before: what it holds now may be another server's. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  /** Grows with each connection: numbers of another one may be of another past. */
  get connections(): number {
    return this.#connections
  }

  told(state: StoreState): void {
    if (state.state === 'ready' && !state.sameConnection) this.#connections++
    if (this.state === 'ready') this.#wasReady = true
    if (state.error) this.lastError = state.error
    this.#state = state
  }

  /** Resolves to whether `announceReady` was called within `ms`. */
  ready(ms: number): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      const finish = (ready: boolean): void => {
        this.#clock.clearTimeout(timer)
        this.#waiting.delete(onReady)
        resolve(ready)
      }
      const onReady = (): void => finish(true)
      const timer = this.#clock.setTimeout(() => finish(false), ms)
      this.#waiting.add(onReady)
    })
  }

  announceReady(): void {
    for (const onReady of [...this.#waiting]) onReady()
  }
}
