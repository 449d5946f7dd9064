import type { Clock } from '../../contracts/clock.ts'
import type { FaultMode } from './fault-plan.ts'
import { type Exchange, keyOf } from './loopback-server.ts'

/** What became of one call. */
export interface LoopbackCall<Usage> {
  /** Number of the call, from 1. */
  readonly call: number
  /** The key the client sent; empty where it sent none. */
  readonly workspace: string
  /** When it arrived, on the clock of the provider. */
  readonly at: number
  /** When its answer began; absent where none did. */
  readonly firstByteAt?: number
  /** When it ended; absent while it is under way. */
  readonly endedAt?: number
  /** Of the answer; absent before it began. */
  readonly status?: number
  readonly model?: string
  readonly stream: boolean
  /**
   * `'complete'`: the client has got an answer or an error; `'aborted'`: the client went first; `'cut'`:
   * the provider did; absent while it is under way.
   */
  readonly end?: 'complete' | 'aborted' | 'cut'
  readonly fault?: FaultMode
  /** What the call is billed for, as its answer tells it; absent where no answer began. */
  readonly usage?: Usage
  /** As it was sent. */
  readonly request?: unknown
}

/** A call while it is being written. */
export type Open<Call> = { -readonly [member in keyof Call]: Call[member] }

/** What is known of a call when it arrives. */
export function arrival(exchange: Exchange, calls: number, clock: Clock) {
  return { call: calls + 1, workspace: keyOf(exchange) ?? '', at: clock.now(), stream: false }
}

/** Notes when a call has ended, and who ended it. */
export function noteEnd(
  entry: Open<Pick<LoopbackCall<never>, 'end' | 'endedAt'>>,
  exchange: Exchange,
  clock: Clock,
): void {
  exchange.response.once('close', () => {
    entry.endedAt = clock.now()
    entry.end ??= exchange.signal.aborted ? 'aborted' : 'complete'
  })
}
