import type { Clock } from '../../contracts/clock.ts'
import type { ModelProfile } from '../../llm/models/model-profile.ts'
import type { FaultMode, FaultPlan } from '../loopback/fault-plan.ts'
import {
  cut,
  type Exchange,
  openEvents,
  sendEvent,
  sendHalf,
  sendJson,
} from '../loopback/loopback-server.ts'
import { pause, untilAborted } from '../loopback/pause.ts'
import { answerOf, emptyAnswer, isPrewarm, type OpenAIReplyFunction } from './answer.ts'
import {
  errorBody,
  OVERLOADED,
  RATE_LIMITED,
  rateLimitHeaders,
  SERVER_ERROR,
  sendError,
} from './api-errors.ts'
import type { ApiWords, StreamEvent, Telling } from './api-words.ts'
import { cachePlan, type OpenaiCacheBehaviour } from './cache-plan.ts'
import type { OpenCall } from './call-log.ts'
import { CHAT_WORDS } from './chat-words.ts'
import type { OpenaiCache, OpenaiCacheCall } from './openai-cache.ts'
import type { OpenaiRequest } from './openai-prompt.ts'
import { RESPONSE_WORDS } from './response-words.ts'
import { usageOf } from './usage.ts'

/** What all calls of one provider share. */
export interface Provider {
  readonly clock: Clock
  readonly ttftMs: number
  readonly chunkDelayMs: number
  readonly chunks: number
  readonly cache: OpenaiCache
  readonly behaviour: OpenaiCacheBehaviour
  readonly faults: FaultPlan
  readonly reply: OpenAIReplyFunction | undefined
  profileOf(model: string): ModelProfile
}

/** A valid call on its way to its answer. */
interface Work {
  readonly exchange: Exchange
  readonly entry: OpenCall
  readonly requestId: string
  readonly cached: OpenaiCacheCall
  readonly words: ApiWords
  readonly telling: Telling
  readonly fault: FaultMode | undefined
}

/** Answers a request that is valid. What went on is written into `entry`. */
export async function answerCall(
  provider: Provider,
  exchange: Exchange,
  request: OpenaiRequest,
  entry: OpenCall,
  requestId: string,
): Promise<void> {
  const { clock, faults, ttftMs } = provider
  const fault = faults.next()
  if (fault !== undefined) entry.fault = fault
  if (fault === 'overloaded') {
    entry.status = sendError(exchange, requestId, OVERLOADED)
    return
  }
  if (fault === 'rate-limited') {
    const headers = rateLimitHeaders(faults.retryAfterMs)
    entry.status = sendError(exchange, requestId, RATE_LIMITED, headers)
    return
  }
  if (fault === 'hang') return untilAborted(exchange.signal)
  const cached = lookedUp(provider, request, entry)
  await pause(clock, ttftMs + (fault === 'slow' ? faults.slowByMs : 0), exchange.signal)
  if (exchange.signal.aborted) return
  const telling = await told(provider, request, entry, requestId, cached)
  const words = entry.endpoint === 'chat' ? CHAT_WORDS : RESPONSE_WORDS
  const work = { exchange, entry, requestId, cached, words, telling, fault }
  await (entry.stream ? streamed(provider, work) : whole(provider, work))
}

function lookedUp(provider: Provider, request: OpenaiRequest, entry: OpenCall): OpenaiCacheCall {
  const profile = provider.profileOf(request.model)
  const plan = cachePlan(entry.endpoint, request, profile, provider.behaviour)
  // Up to 5.5 the key is said to route only, and from 5.6 to isolate: a call with another key misses.
  const scope = JSON.stringify([entry.workspace, request.prompt_cache_key ?? null])
  return provider.cache.begin(plan, scope, entry.at)
}

async function told(
  provider: Provider,
  request: OpenaiRequest,
  { endpoint, workspace, call }: OpenCall,
  requestId: string,
  cached: OpenaiCacheCall,
): Promise<Telling> {
  const { bill } = cached
  const answer = isPrewarm(request)
    ? emptyAnswer(request.model)
    : answerOf(
        endpoint,
        request,
        await provider.reply?.(request, { call, endpoint, workspace, bill }),
      )
  return {
    id: requestId.replace('req_', ''),
    created: Math.floor(provider.clock.wall() / 1000),
    request,
    answer,
    usage: usageOf(endpoint, bill, answer),
    chunks: provider.chunks,
  }
}

/** All of the answer at once, when the last of it would have been streamed. */
async function whole(provider: Provider, work: Work): Promise<void> {
  const { exchange, entry, requestId, words, telling, fault } = work
  await pause(provider.clock, provider.chunkDelayMs * provider.chunks, exchange.signal)
  if (exchange.signal.aborted) return
  if (fault === 'error-in-stream') {
    entry.status = sendError(exchange, requestId, SERVER_ERROR)
    return
  }
  begin(provider, work)
  const body = words.whole(telling)
  if (fault !== 'cut-stream') {
    sendJson(exchange, 200, body, { 'x-request-id': requestId })
    return
  }
  await sendHalf(exchange, body, { 'x-request-id': requestId })
  breakOff(work)
}

async function streamed(provider: Provider, work: Work): Promise<void> {
  const { exchange, requestId, words, telling, fault } = work
  openEvents(exchange, { 'x-request-id': requestId })
  begin(provider, work)
  const events = words.events(telling)
  const breaks = fault === 'cut-stream' || fault === 'error-in-stream'
  for (const event of breaks ? events.slice(0, middleOf(events)) : events) {
    if (event.isDelta) await pause(provider.clock, provider.chunkDelayMs, exchange.signal)
    if (exchange.signal.aborted) return
    await emit(exchange, event)
  }
  if (fault === 'cut-stream') return breakOff(work)
  if (fault === 'error-in-stream') {
    await emit(exchange, words.streamError(errorBody(SERVER_ERROR)))
  } else if (words.epilogue !== undefined) {
    await sendEvent(exchange, undefined, words.epilogue)
  }
  exchange.response.end()
}

function emit(exchange: Exchange, { name, data }: StreamEvent): Promise<void> {
  return sendEvent(exchange, name, JSON.stringify(data))
}

/** The first half of the deltas, at least one, goes before a fault in the middle. */
function middleOf(events: readonly StreamEvent[]): number {
  const deltas = events.flatMap((event, at) => (event.isDelta ? [at] : []))
  return deltas[Math.ceil(deltas.length / 2)] ?? events.length - 1
}

/** The first byte leaves: from now on others can read what this call writes. */
function begin({ clock }: Provider, { entry, cached, telling }: Work): void {
  entry.status = 200
  entry.firstByteAt = clock.now()
  entry.usage = telling.usage
  cached.commit(entry.firstByteAt)
}

function breakOff({ exchange, entry }: Work): void {
  entry.end = 'cut'
  cut(exchange)
}
