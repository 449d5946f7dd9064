import { type Exchange, sendJson } from '../loopback/loopback-server.ts'

/** The kinds of errors of the Messages API that are given here, with their status. */
const STATUS = {
  invalid_request_error: 400,
  authentication_error: 401,
  not_found_error: 404,
  rate_limit_error: 429,
  api_error: 500,
  overloaded_error: 529,
} as const

export type ApiErrorType = keyof typeof STATUS

export function apiError(type: ApiErrorType, message: string, requestId: string) {
  return { type: 'error', error: { type, message }, request_id: requestId }
}

/** @returns the status that was sent */
export function sendError(
  exchange: Exchange,
  requestId: string,
  type: ApiErrorType,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): number {
  const status = STATUS[type]
  sendJson(exchange, status, apiError(type, message, requestId), {
    'request-id': requestId,
    ...headers,
  })
  return status
}

/** What a client learns of its limits when it has used them up. */
export function rateLimitHeaders(nowMs: number, retryAfterMs: number): Record<string, string> {
  const reset = new Date(nowMs + retryAfterMs).toISOString()
  const headers: Record<string, string> = {
    'retry-after': String(Math.ceil(retryAfterMs / 1000)),
  }
  const limits = { requests: '1000', 'input-tokens': '450000', 'output-tokens': '90000' }
  for (const [kind, limit] of Object.entries(limits)) {
    headers[`anthropic-ratelimit-${kind}-limit`] = limit
    headers[`anthropic-ratelimit-${kind}-remaining`] = kind === 'requests' ? '0' : limit
    headers[`anthropic-ratelimit-${kind}-reset`] = reset
  }
  return headers
}
