import type { Coherence } from '../../contracts/store.ts'

/** What the protocol is told; everything else concerns only the connections. */
export interface SessionSettings {
  /** First part of every key and channel. */
  readonly prefix: string
  /** Deadline of one operation, in milliseconds. */
  readonly timeoutMs: number
  readonly coherence: Coherence
  /** Longest record that is sent; larger ones are refused here, as `too-large`. */
  readonly maxValueBytes: number
}
