import type { Json } from '../loopback/json-values.ts'
import type { Answer } from './answer.ts'
import type { OpenaiRequest } from './openai-prompt.ts'
import type { OpenaiUsage } from './usage.ts'

/** One server-sent event. */
export interface StreamEvent {
  /** Absent in Chat Completions, whose events have no names. */
  readonly name?: string
  readonly data: Json
  /** Brings a piece of the answer: streams are paced and broken there. */
  readonly isDelta?: boolean
}

/** All that is needed to tell an answer. */
export interface Telling {
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  readonly request: OpenaiRequest
  readonly answer: Answer
  readonly usage: OpenaiUsage
  /** Pieces of a text in a stream. */
  readonly chunks: number
}

/** How one API puts an answer. */
export interface ApiWords {
  whole(telling: Telling): Json
  /** In the order in which they are sent; what ends the stream is last. */
  events(telling: Telling): readonly StreamEvent[]
  /** How an error is put into a stream that has begun. */
  streamError(body: { readonly error: Json }): StreamEvent
  /** Sent when all events were. */
  readonly epilogue: string | undefined
}
