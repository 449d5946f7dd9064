import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../contracts/clock.ts'
import type { Cache } from '../../facade/cache.ts'
import type { ByteSize } from '../../kernel/byte-size.ts'
import type { Duration } from '../../kernel/duration.ts'
import { isResilienceError } from '../../kernel/errors.ts'
import { checkOptionNames } from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'
import { type PromptCache, promptCache } from '../prompt-cache/prompt-cache.ts'
import type { PromptCacheOptions } from '../prompt-cache/prompt-cache-options.ts'
import { RECORDING_FORMAT } from '../stream/recording.ts'
import { SharedStreams, type StreamLoad } from '../stream/shared-streams.ts'
import { streamLoad } from '../stream/stream-load.ts'
import { boundsOf, checkStreamOptions, type Pacing, paceOf } from '../stream/stream-options.ts'
import { isFromAnotherProcess, StreamReader } from '../stream/stream-reader.ts'
import type { OnAbandon, StreamCall } from '../stream/stream-session.ts'
import { type WireItem, wireItems } from './wire.ts'
import { wireResponse } from './wire-response.ts'
import { followWire } from './wire-tail.ts'

/** Options of `promptCacheMiddleware`: those of `promptCache`, and where answers are kept. */
export interface PromptCacheMiddlewareOptions extends Omit<PromptCacheOptions, 'provider'> {
  /** @default the process's default cache */
  cache?: Cache
  /** Unique in its cache. @default 'anthropic-messages' */
  name?: string
  /** Required here or in the cache. */
  ttl?: Duration
  /** Of streams that are replayed. @default 'instant' */
  pacing?: Pacing
  /** Longer answers are not kept. @default '8mb' */
  maxBytes?: ByteSize
  /** What becomes of a call whose clients have all left. @default 'abort' */
  onAbandon?: OnAbandon
  clock?: Clock
}

/** What a client's middleware is given. */
export interface ClientRequest {
  readonly url: string
  readonly method?: string | undefined
  readonly headers: Headers
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}

/** Where the settings of a call are, of which the request has only what becomes of them. */
export interface ClientContext {
  readonly options?: { readonly signal?: AbortSignal | null | undefined } | undefined
}

/** For the option `middleware` of the client of `@anthropic-ai/sdk` 1.x. */
export interface PromptCacheMiddleware {
  <R extends ClientRequest>(
    request: R,
    next: (request: R) => Promise<Response>,
    context?: ClientContext,
  ): Promise<Response>
  /** What it stands on: `explain`, `stats`, `on`. */
  readonly promptCache: PromptCache
}

const OWN = ['cache', 'name', 'ttl', 'pacing', 'maxBytes', 'onAbandon', 'clock'] as const

/** Headers that change the answer. Those of a retry do not: it is the same request. */
const IN_KEY = ['anthropic-version', 'anthropic-beta'] as const

/**
 * Caches the calls of an Anthropic client without a change at the places that make them.
 *
 * ```ts
 * const client = new Anthropic({
 *   middleware: [promptCacheMiddleware({ cache, ttl: '1h', tenant: 'acme' })],
 * })
 * ```
 *
 * `POST /v1/messages` only, whole answers and event streams: equal requests share one call while it runs,
 * and are answered from the cache afterwards, byte for byte, with the header `x-cache` (`joined` while it
 * runs, then `hit` for a whole answer and `replay` for a stream). What has to be sent is planned, waits at the
 * gate, is accounted and judged as by `promptCache`. Answers other than 2xx are handed on and not stored.
 * Who may share an answer is for `tenant` to say, and for nothing else: the API key of a client is not part
 * of the key, so clients of different customers or workspaces need a middleware each, or a `tenant` that
 * tells their requests apart. Neither are headers other than `anthropic-version` and `anthropic-beta`.
 *
 * Put it first: it then sees requests as they are made, and not what other middleware makes of them.
 *
 * A hit through the client costs the client's own work (building the request, parsing the answer); where
 * you can wrap the function that calls it, `cached` and `cachedStream` are faster.
 *
 * @throws ERR_INVALID_OPTION
 */
export function promptCacheMiddleware(
  options: PromptCacheMiddlewareOptions,
): PromptCacheMiddleware {
  const { own, layerOptions } = split(options)
  const layer = promptCache({ provider: 'anthropic', ...layerOptions })
  const { clock = realClock, onAbandon = 'abort', pacing } = own
  const streams: SharedStreams<WireItem> = new SharedStreams(
    {
      ...boundsOf(own),
      clock,
      inContext: AsyncLocalStorage.snapshot() as <R>(work: () => R) => R,
      follow: followWire,
      layer,
      pace: paceOf(pacing),
      onAbandon,
      accept: undefined,
    },
    () => load,
  )
  const name = own.name ?? 'anthropic-messages'
  const load: StreamLoad<WireItem> = streamLoad(streams, {
    cache: own.cache,
    label: name,
    name,
    withLayer: true,
    key: undefined,
    tags: undefined,
    others: { ttl: own.ttl, version: RECORDING_FORMAT },
  })

  const middleware = async <R extends ClientRequest>(
    request: R,
    next: (request: R) => Promise<Response>,
    context?: ClientContext,
  ): Promise<Response> => {
    const message = messageOf(request)
    if (!message) return next(request)
    const signal = request.signal ?? undefined
    const call = callOf(request, message, next, context)
    try {
      return await wireResponse(new StreamReader(() => streams.enter(call), signal), signal)
    } catch (error) {
      if (signal?.aborted || !isOursToMend(error)) throw error
      return next(request)
    }
  }
  return Object.assign(middleware, { promptCache: layer })
}

type Own = Pick<PromptCacheMiddlewareOptions, (typeof OWN)[number]>

function split(options: PromptCacheMiddlewareOptions): {
  own: Own
  layerOptions: Omit<PromptCacheOptions, 'provider'>
} {
  const names = Object.keys(options ?? {})
  checkOptionNames(options, names, 'promptCacheMiddleware()')
  const own: Record<string, unknown> = {}
  const rest: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) {
    if ((OWN as readonly string[]).includes(name)) own[name] = value
    else rest[name] = value
  }
  checkStreamOptions(own)
  return { own: own as Own, layerOptions: rest as never }
}

/** The body of a call of the Messages API; `undefined` for any other request. */
function messageOf({ body, method, url }: ClientRequest): Record<string, unknown> | undefined {
  if (method?.toUpperCase() !== 'POST' || typeof body !== 'string') return undefined
  if (!/\/v1\/messages\/?(\?|$)/.test(url)) return undefined
  try {
    const message: unknown = JSON.parse(body)
    const isObject = typeof message === 'object' && message !== null && !Array.isArray(message)
    return isObject ? (message as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function callOf<R extends ClientRequest>(
  request: R,
  message: Record<string, unknown>,
  next: (request: R) => Promise<Response>,
  context: ClientContext | undefined,
): StreamCall {
  const headers: Record<string, string> = {}
  for (const name of IN_KEY) {
    const value = request.headers.get(name)
    if (value !== null) headers[name] = value
  }
  const shape = message.stream === true ? 'events' : 'whole'
  return {
    // A whole answer and an event stream are not each other's: the bytes are what is kept.
    args: [message, { url: request.url, shape, headers }],
    async open([planned], signal) {
      const isSame = planned === message
      const sent = isSame ? request : { ...request, ...withBody(request, JSON.stringify(planned)) }
      return wireItems(
        await attempt(signal, request.signal, context, (own) => next({ ...sent, signal: own })),
      )
    },
  }
}

/**
 * The client limits how long it waits for a call of `next`, and tells by the signal of the request. That
 * is not its leaving, but the end of this attempt for all who share it: nobody else limits it.
 */
async function attempt(
  wanted: AbortSignal,
  requested: AbortSignal | null | undefined,
  context: ClientContext | undefined,
  send: (signal: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const controller = new AbortController()
  wanted.addEventListener('abort', () => controller.abort(wanted.reason), { once: true })
  const onAbort = (): void => {
    if (context?.options && !context.options.signal?.aborted) controller.abort(requested?.reason)
  }
  requested?.addEventListener('abort', onAbort, { once: true })
  try {
    return await send(controller.signal)
  } finally {
    requested?.removeEventListener('abort', onAbort)
  }
}

function withBody({ headers }: ClientRequest, body: string): { body: string; headers: Headers } {
  const own = new Headers(headers)
  // `fetch` counts anew.
  own.delete('content-length')
  return { body, headers: own }
}

/** Where the cache, or another process, has failed the caller: the provider has not been asked for it. */
function isOursToMend(error: unknown): boolean {
  if (isResilienceError(error, 'ERR_CLOSED') || isResilienceError(error, 'ERR_UNCACHEABLE_KEY')) {
    return true
  }
  return isFromAnotherProcess(error)
}
