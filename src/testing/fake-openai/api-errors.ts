import { type Exchange, sendJson } from '../loopback/loopback-server.ts'
import type { RequestFault } from './request-rules.ts'

/** An error as OpenAI words it. */
export interface ApiError {
  readonly status: number
  readonly type: string
  readonly message: string
  readonly param?: string | null
  readonly code?: string | null
}

export const OVERLOADED: ApiError = {
  status: 503,
  type: 'service_unavailable_error',
  message: 'The engine is currently overloaded, please try again later.',
  code: 'server_is_overloaded',
}

export const RATE_LIMITED: ApiError = {
  status: 429,
  type: 'requests',
  message: 'Rate limit reached for requests.',
  code: 'rate_limit_exceeded',
}

export const NO_KEY: ApiError = {
  status: 401,
  type: 'invalid_request_error',
  message: "You didn't provide an API key.",
}

export const BAD_JSON: ApiError = {
  status: 400,
  type: 'invalid_request_error',
  message: 'We could not parse the JSON body of your request.',
}

export const SERVER_ERROR: ApiError = {
  status: 500,
  type: 'server_error',
  message: 'The server had an error while processing your request.',
  code: 'server_error',
}

export function notFound(what: string): ApiError {
  return { status: 404, type: 'invalid_request_error', message: `Unknown request URL: ${what}.` }
}

export function refused(fault: RequestFault): ApiError {
  return { status: 400, type: 'invalid_request_error', ...fault }
}

export function errorBody({ type, message, param = null, code = null }: ApiError) {
  return { error: { message, type, param, code } }
}

/** @returns the status that was sent */
export function sendError(
  exchange: Exchange,
  requestId: string,
  error: ApiError,
  headers: Readonly<Record<string, string>> = {},
): number {
  sendJson(exchange, error.status, errorBody(error), { 'x-request-id': requestId, ...headers })
  return error.status
}

/** What a client learns of its limits when it has used them up. */
export function rateLimitHeaders(retryAfterMs: number): Record<string, string> {
  return {
    'retry-after': String(Math.ceil(retryAfterMs / 1000)),
    'retry-after-ms': String(Math.ceil(retryAfterMs)),
    'x-ratelimit-limit-requests': '1000',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': `${retryAfterMs / 1000}s`,
  }
}
