import type { Clock } from '../../contracts/clock.ts'
import type { FaultMode, FaultPlan } from '../loopback/fault-plan.ts'
import type { Json } from '../loopback/json-values.ts'
import {
  cut,
  type Exchange,
  openEvents,
  sendEvent,
  sendHalf,
  sendJson,
} from '../loopback/loopback-server.ts'
import { pause, untilAborted } from '../loopback/pause.ts'
import { type Answer, answerOf, type ReplyFunction } from './answer.ts'
import { type AnswerEvent, contentEvents } from './answer-events.ts'
import { apiError, rateLimitHeaders, sendError } from './api-errors.ts'
import type { OpenCall } from './call-log.ts'
import type { Diagnostics, DiagnosticsLog } from './diagnostics.ts'
import type { MessagesRequest } from './messages-request.ts'
import type { PromptCacheCall, PromptCacheModel } from './prompt-cache.ts'
import { usageOf } from './usage.ts'

/** What all calls of one provider share. */
export interface Provider {
  readonly clock: Clock
  readonly ttftMs: number
  readonly chunkDelayMs: number
  readonly chunks: number
  readonly cache: PromptCacheModel
  readonly faults: FaultPlan
  readonly diagnostics: DiagnosticsLog
  readonly reply: ReplyFunction | undefined
}

/** A valid call on its way to its answer. */
interface Work {
  readonly exchange: Exchange
  readonly request: MessagesRequest & Json
  readonly entry: OpenCall
  readonly requestId: string
  readonly cached: PromptCacheCall
  readonly diagnostics: Diagnostics
  readonly answer: Answer
}

/** Answers a request that is valid. What went on is written into `entry`. */
export async function answerCall(
  provider: Provider,
  exchange: Exchange,
  request: MessagesRequest & Json,
  entry: OpenCall,
  requestId: string,
): Promise<void> {
  const { clock, faults, ttftMs, cache } = provider
  const fault = faults.next()
  if (fault !== undefined) entry.fault = fault
  if (fault === 'overloaded' || fault === 'rate-limited') {
    entry.status = refuse(provider, exchange, requestId, fault)
    return
  }
  if (fault === 'hang') return untilAborted(exchange.signal)
  // From here on the call is at work: what it reads is kept alive, even if it is never answered.
  const cached = cache.begin(request, entry.workspace, entry.at)
  await pause(clock, ttftMs + (fault === 'slow' ? faults.slowByMs : 0), exchange.signal)
  try {
    if (exchange.signal.aborted) return
    const { call, workspace } = entry
    const reply =
      request.max_tokens === 0
        ? undefined
        : await provider.reply?.(request, { call, workspace, bill: cached.bill })
    if (exchange.signal.aborted) return
    const answer = answerOf(request, cached, reply)
    const diagnostics = provider.diagnostics.diagnose(request, workspace, cached)
    const work = { exchange, request, entry, requestId, cached, diagnostics, answer }
    await (request.stream === true ? streamed(provider, work, fault) : whole(provider, work, fault))
  } finally {
    // Has no effect once the answer has begun.
    cached.abandon()
  }
}

function refuse(
  { clock, faults }: Provider,
  exchange: Exchange,
  requestId: string,
  fault: 'overloaded' | 'rate-limited',
): number {
  if (fault === 'overloaded') {
    return sendError(exchange, requestId, 'overloaded_error', 'Overloaded')
  }
  const headers = rateLimitHeaders(clock.wall(), faults.retryAfterMs)
  const message = 'This request would exceed the rate limit of your organization.'
  return sendError(exchange, requestId, 'rate_limit_error', message, headers)
}

/** All of the answer at once, when the last of it would have been streamed. */
async function whole(provider: Provider, work: Work, fault: FaultMode | undefined): Promise<void> {
  const { exchange, entry, requestId, answer } = work
  const { clock, chunkDelayMs, chunks } = provider
  const pieces = contentEvents(answer, chunks).filter(isDelta).length
  await pause(clock, chunkDelayMs * pieces, exchange.signal)
  if (exchange.signal.aborted) return
  if (fault === 'error-in-stream') {
    entry.status = sendError(exchange, requestId, 'api_error', 'Internal server error')
    return
  }
  const message = begun(provider, work)
  const usage = entry.usage
  const body = { ...message, content: answer.content, ...answer.stop, usage }
  if (fault !== 'cut-stream') {
    sendJson(exchange, 200, body, { 'request-id': requestId })
    return
  }
  await sendHalf(exchange, body, { 'request-id': requestId })
  breakOff(work)
}

async function streamed(
  provider: Provider,
  work: Work,
  fault: FaultMode | undefined,
): Promise<void> {
  const { exchange, entry, requestId, answer } = work
  openEvents(exchange, { 'request-id': requestId })
  const message = begun(provider, work)
  const emit = (event: AnswerEvent) => sendEvent(exchange, event.type, JSON.stringify(event))
  await emit({ type: 'message_start', message })
  await emit({ type: 'ping' })
  const events = contentEvents(answer, provider.chunks)
  const breaksAt = fault === 'cut-stream' || fault === 'error-in-stream' ? middleOf(events) : -1
  for (const [at, event] of events.entries()) {
    if (at === breaksAt) break
    if (isDelta(event)) {
      await pause(provider.clock, provider.chunkDelayMs, exchange.signal)
    }
    if (exchange.signal.aborted) return
    await emit(event)
  }
  if (fault === 'cut-stream') {
    breakOff(work)
    return
  }
  if (fault === 'error-in-stream') {
    await emit(apiError('overloaded_error', 'Overloaded', requestId))
  } else {
    const { service_tier: _, inference_geo: __, speed: ___, ...usage } = entry.usage ?? {}
    await emit({ type: 'message_delta', delta: { ...answer.stop, container: null }, usage })
    await emit({ type: 'message_stop' })
  }
  exchange.response.end()
}

function isDelta({ type }: AnswerEvent): boolean {
  return type === 'content_block_delta'
}

/** The first half of the deltas, at least one, goes before a fault in the middle. */
function middleOf(events: readonly AnswerEvent[]): number {
  const deltas = events.flatMap((event, at) => (isDelta(event) ? [at] : []))
  return deltas[Math.ceil(deltas.length / 2)] ?? events.length
}

/** The first byte leaves: from now on others can read what this call writes. */
function begun({ clock, diagnostics }: Provider, work: Work): Json & { readonly id: string } {
  const { request, entry, cached, answer, requestId } = work
  const id = requestId.replace('req_', 'msg_')
  entry.status = 200
  entry.firstByteAt = clock.now()
  entry.usage = usageOf(request, cached.bill, answer)
  cached.commit(entry.firstByteAt)
  diagnostics.remember(request, entry.workspace, cached, id)
  return {
    id,
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: [],
    container: null,
    diagnostics: work.diagnostics,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: {
      ...entry.usage,
      output_tokens: Math.min(1, answer.tokens),
      output_tokens_details: null,
    },
  }
}

function breakOff({ exchange, entry }: Work): void {
  entry.end = 'cut'
  cut(exchange)
}
