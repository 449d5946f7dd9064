import type { FaultMode } from '../loopback/fault-plan.ts'
import type { MessageUsage } from './usage.ts'

/** What became of one call of `POST /v1/messages`. */
export interface FakeCall {
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
  /** What the call is billed for, with all of its output; absent where no answer began. */
  readonly usage?: MessageUsage
  /** As it was sent. */
  readonly request?: unknown
}

/** The same while it is being written. */
export type OpenCall = { -readonly [member in keyof FakeCall]: FakeCall[member] }
