import type { ModelProfile } from '../../llm/models/model-profile.ts'
import type { Json } from '../loopback/json-values.ts'
import { arrival, noteEnd } from '../loopback/loopback-call.ts'
import { type Exchange, keyOf, sendJson } from '../loopback/loopback-server.ts'
import { sendError } from './api-errors.ts'
import type { OpenCall } from './call-log.ts'
import { answerCall, type Provider } from './messages-call.ts'
import type { MessagesRequest } from './messages-request.ts'
import { promptBlocks } from './prompt-blocks.ts'
import { faultOfRequest } from './request-rules.ts'

/** What the routes of one server share. */
export interface Site {
  readonly provider: Provider
  readonly profileOf: (model: string) => ModelProfile
  readonly log: OpenCall[]
}

/** Answers one request of whatever kind. */
export async function route(exchange: Exchange, requestId: string, site: Site): Promise<void> {
  const { method, path } = exchange
  if (method === 'POST' && path === '/v1/messages') return messages(exchange, requestId, site)
  if (method === 'POST' && path === '/v1/messages/count_tokens') {
    const request = accepted(exchange, requestId, 'count_tokens', site)
    if (request === undefined) return
    const input_tokens = promptBlocks(request).reduce((sum, { tokens }) => sum + tokens, 0)
    return sendJson(exchange, 200, { input_tokens }, { 'request-id': requestId })
  }
  sendError(exchange, requestId, 'not_found_error', `Not found: ${method} ${path}`)
}

async function messages(exchange: Exchange, requestId: string, site: Site): Promise<void> {
  const { log, provider } = site
  const { clock } = provider
  const entry: OpenCall = arrival(exchange, log.length, clock)
  log.push(entry)
  noteEnd(entry, exchange, clock)
  const request = accepted(exchange, requestId, 'messages', site, entry)
  if (request === undefined) {
    entry.status = exchange.response.statusCode
    return
  }
  entry.model = request.model
  entry.stream = request.stream === true
  try {
    await answerCall(provider, exchange, request, entry, requestId)
  } catch (error) {
    if (exchange.response.headersSent) throw error
    const why = error instanceof Error ? error.message : 'unknown'
    entry.status = sendError(
      exchange,
      requestId,
      'api_error',
      `reply of the provider threw: ${why}`,
    )
  }
}

/** The request, where it is a valid one; else it has been answered with an error. */
function accepted(
  exchange: Exchange,
  requestId: string,
  endpoint: 'messages' | 'count_tokens',
  { profileOf }: Site,
  entry?: OpenCall,
): (MessagesRequest & Json) | undefined {
  if (keyOf(exchange) === undefined) {
    sendError(exchange, requestId, 'authentication_error', 'x-api-key header is required')
    return undefined
  }
  let request: unknown
  try {
    request = JSON.parse(exchange.body)
  } catch {
    sendError(exchange, requestId, 'invalid_request_error', 'The request body is not valid JSON')
    return undefined
  }
  if (entry) entry.request = request
  const candidate = (request ?? {}) as MessagesRequest & Json
  const most = profileOf(String(candidate.model)).maxBreakpoints
  const fault = faultOfRequest(candidate, endpoint, most)
  if (fault === undefined) return candidate
  sendError(exchange, requestId, 'invalid_request_error', fault)
  return undefined
}
