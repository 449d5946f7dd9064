import type { LoopbackCall, Open } from '../loopback/loopback-call.ts'
import type { Endpoint } from './openai-prompt.ts'
import type { OpenaiUsage } from './usage.ts'

/** What became of one call. */
export interface FakeOpenAICall extends LoopbackCall<OpenaiUsage> {
  readonly endpoint: Endpoint
}

/** The same while it is being written. */
export type OpenCall = Open<FakeOpenAICall>
