import type { LoopbackCall, Open } from '../loopback/loopback-call.ts'
import type { MessageUsage } from './usage.ts'

/** What became of one call of `POST /v1/messages`. */
export type FakeCall = LoopbackCall<MessageUsage>

/** The same while it is being written. */
export type OpenCall = Open<FakeCall>
