import { ResilienceError } from '../../../kernel/errors.ts'
import type { Lineage, TransportEvents, TransportState } from '../transport.ts'
import { asUnavailable } from './redis-errors.ts'

/** Tells the state of a connection: each new connection, and each failure once, until it changes. */
export class StateTeller {
  readonly #events: Pick<TransportEvents, 'onState'>
  #told: string | undefined
  #error: Error = new ResilienceError(
    'ERR_L2_UNAVAILABLE',
    'Redis is not connected yet: the first attempt is under way.',
  )
  #isStopped = false

  constructor(events: Pick<TransportEvents, 'onState'>) {
    this.#events = events
  }

  /** Why nothing can be sent: one object for all that find out. */
  get error(): Error {
    return this.#error
  }

  ready(state: TransportState, lineage: Lineage): void {
    this.#told = 'ready'
    this.#tell({ ...state, lineage })
  }

  /** Still the same connection: there is no lineage in what is told. */
  changed(state: TransportState): void {
    this.#tell(state)
  }

  down(cause: unknown): void {
    const error = asUnavailable(cause)
    if (this.#told === error.message) return
    this.#told = error.message
    this.#error = error
    this.#tell({ state: 'down', source: 'none', error })
  }

  /** Nobody listens any more. */
  stop(): void {
    this.#isStopped = true
    this.#error = new ResilienceError('ERR_CLOSED', 'The connection to Redis is closed.')
  }

  #tell(state: TransportState): void {
    if (!this.#isStopped) this.#events.onState(state)
  }
}
