import type { OpenBreaker } from '../contracts/breaker-engine.ts'
import type { Clock } from '../contracts/clock.ts'
import type { BusMessage, Store, StoreSession, StoreState } from '../contracts/store.ts'
import { Attempts } from './attempts.ts'
import { ConsecutiveFailures } from './consecutive-failures.ts'
import { Deadlines } from './deadlines.ts'
import { Gate, type GateState } from './gate.ts'
import { type RemoteHealth, StoreStatus } from './store-status.ts'
import { within } from './within.ts'

export interface RemoteOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Name of the cache: owner of sequence and stamps. */
  readonly space: string
  /** The tag that every entry of the cache carries: what an overflowing journal stamps. */
  readonly rootTag: string
  readonly onState: (health: RemoteHealth) => void
  readonly onError: (kind: string, error: unknown) => void
  readonly onMessage: (message: BusMessage) => void
}

/** The store, opened: what reading and writing share of it. */
export class StoreLink {
  readonly store: Store
  readonly options: RemoteOptions
  readonly status: StoreStatus
  readonly deadlines: Deadlines
  readonly attempts: Attempts
  errors = 0
  /** Deadlines that passed because this process was blocked, not because of L2. */
  timeoutsIgnored = 0
  closed = false
  #session: StoreSession | undefined

  constructor(store: Store, options: RemoteOptions) {
    const { clock } = options
    this.store = store
    this.options = options
    this.status = new StoreStatus(store, clock)
    const timeoutMs = (): number => store.timeoutMs
    this.deadlines = new Deadlines(clock, timeoutMs)
    this.attempts = new Attempts({
      clock,
      deadlines: this.deadlines,
      timeoutMs,
      onFailure: (kind, error) => {
        if (!this.closed) this.failed(kind, error)
      },
      onBlocked: () => {
        this.timeoutsIgnored++
      },
    })
  }

  /** The store may tell its state before this returns. */
  open(onState: (state: StoreState) => void): void {
    const { clock, random, space, onMessage } = this.options
    this.#session = this.store.open({ clock, random, space, onState, onMessage })
  }

  get session(): StoreSession {
    return this.#session as StoreSession
  }

  gate(
    kind: Parameters<OpenBreaker>[0],
    probe: () => Promise<void>,
    onChange: (state: GateState) => void,
  ): Gate {
    const { clock, random } = this.options
    return new Gate({
      clock,
      random,
      engine: this.store.breaker?.(kind) ?? new ConsecutiveFailures(),
      probe,
      onChange: (state, error) => {
        if (error !== undefined) this.status.lastError = error
        onChange(state)
      },
    })
  }

  failed(kind: string, error: unknown): void {
    this.status.lastError = error
    this.reported(kind, error)
  }

  /** What is wrong with one value says nothing of the store. */
  reported(kind: string, error: unknown): void {
    this.errors++
    this.options.onError(kind, error)
  }

  /** As fast as users want it: what is slower would only be found too slow again. */
  probe(): Promise<void> {
    return within(this.store.timeoutMs, this.session.probe(), this.options.clock)
  }

  /** For what nobody waits for: it may take longer than the store's deadline. */
  within<T>(ms: number, operation: Promise<T>): Promise<T> {
    return within(Math.max(this.store.timeoutMs, ms), operation, this.options.clock)
  }
}
