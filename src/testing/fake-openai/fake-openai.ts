import { toMs } from '../../kernel/duration.ts'
import { checkChoice } from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'
import { seededRandom } from '../../kernel/seeded-random.ts'
import { findProfile } from '../../llm/models/profiles.ts'
import { faultPlan } from '../loopback/fault-plan.ts'
import { asObject } from '../loopback/json-values.ts'
import { arrival, noteEnd } from '../loopback/loopback-call.ts'
import {
  checkLoopbackOptions,
  type LoopbackOptions,
  type LoopbackProvider,
  loopbackProvider,
} from '../loopback/loopback-provider.ts'
import { type Exchange, loopbackServer } from '../loopback/loopback-server.ts'
import type { OpenAIReplyFunction } from './answer.ts'
import { BAD_JSON, NO_KEY, notFound, refused, SERVER_ERROR, sendError } from './api-errors.ts'
import type { OpenaiCacheBehaviour } from './cache-plan.ts'
import type { FakeOpenAICall, OpenCall } from './call-log.ts'
import { openaiCache } from './openai-cache.ts'
import { answerCall, type Provider } from './openai-call.ts'
import type { Endpoint, OpenaiRequest } from './openai-prompt.ts'
import { faultOfRequest } from './request-rules.ts'

/** Options of {@link fakeOpenAI}. */
export interface FakeOpenAIOptions
  extends LoopbackOptions<OpenAIReplyFunction>,
    OpenaiCacheBehaviour {}

/** A provider that speaks the APIs of OpenAI on this machine. */
export type FakeOpenAI = LoopbackProvider<FakeOpenAICall>

const OWN_OPTIONS = [
  'refresh',
  'lookup',
  'implicitAt',
] as const satisfies readonly (keyof OpenaiCacheBehaviour)[]

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  ['POST /v1/chat/completions', 'chat'],
  ['POST /v1/responses', 'responses'],
])

/**
 * A loopback server that speaks Chat Completions and Responses, whole and streamed, and accounts for
 * prompts as OpenAI documents it: implicit and free up to GPT-5.5, by breakpoints that cost from 5.6.
 *
 * ```ts
 * await using provider = await fakeOpenAI()
 * const client = new OpenAI({ baseURL: provider.url, apiKey: 'test' })
 * ```
 *
 * Each key has a workspace of its own, and in it each `prompt_cache_key`. Tokens are counted as
 * `fakeAnthropic` counts them. Where the documents disagree or are silent the reading that saves least
 * is taken, and options take the others. Not modelled: routing of a busy key to other machines, cache
 * diagnostics, conversations that the provider keeps.
 *
 * Sources: https://developers.openai.com/api/docs/guides/prompt-caching and the types of `openai` 7.57.0.
 *
 * @throws ERR_INVALID_OPTION
 */
export async function fakeOpenAI(options: FakeOpenAIOptions = {}): Promise<FakeOpenAI> {
  const where = 'fakeOpenAI()'
  checkOptions(options, where)
  const { clock = realClock, profile, seed = 1 } = options
  const provider: Provider = {
    clock,
    ttftMs: toMs(options.ttft ?? 0, `ttft of ${where}`),
    chunkDelayMs: toMs(options.chunkDelay ?? 0, `chunkDelay of ${where}`),
    chunks: options.chunks ?? 5,
    cache: openaiCache(options),
    behaviour: options,
    faults: faultPlan(options.faults ?? {}, seededRandom(seed), where),
    reply: options.reply,
    profileOf: (model) => ({ ...findProfile('openai', model), ...profile }),
  }
  const log: OpenCall[] = []
  let requests = 0
  const server = await loopbackServer((exchange) => {
    requests++
    const requestId = `req_${String(requests).padStart(24, '0')}`
    return route(exchange, requestId, provider, log)
  })
  return loopbackProvider<FakeOpenAICall>(server, provider.faults, log, '/v1')
}

function checkOptions(options: FakeOpenAIOptions, where: string): void {
  checkLoopbackOptions(options, OWN_OPTIONS, 'openai', where)
  checkChoice(options.lookup, ['guide', 'latest-80'], `lookup of ${where}`)
  checkChoice(options.refresh, ['write', 'read'], `refresh of ${where}`)
  checkChoice(options.implicitAt, ['last-user-message', 'last-message'], `implicitAt of ${where}`)
}

async function route(
  exchange: Exchange,
  requestId: string,
  provider: Provider,
  log: OpenCall[],
): Promise<void> {
  const { clock } = provider
  const what = `${exchange.method} ${exchange.path}`
  const endpoint = ENDPOINTS.get(what)
  if (endpoint === undefined) {
    sendError(exchange, requestId, notFound(what))
    return
  }
  const entry: OpenCall = { ...arrival(exchange, log.length, clock), endpoint }
  log.push(entry)
  noteEnd(entry, exchange, clock)
  const request = accepted(exchange, requestId, provider, entry)
  if (request === undefined) return
  entry.model = request.model
  entry.stream = request.stream === true
  try {
    await answerCall(provider, exchange, request, entry, requestId)
  } catch (error) {
    if (exchange.response.headersSent) throw error
    const why = error instanceof Error ? error.message : 'unknown'
    const message = `reply of the provider threw: ${why}`
    entry.status = sendError(exchange, requestId, { ...SERVER_ERROR, message })
  }
}

/** The request, where it is a valid one; else it has been answered with an error. */
function accepted(
  exchange: Exchange,
  requestId: string,
  provider: Provider,
  entry: OpenCall,
): OpenaiRequest | undefined {
  const refuse = (error: Parameters<typeof sendError>[2]): undefined => {
    entry.status = sendError(exchange, requestId, error)
    return undefined
  }
  if (entry.workspace === '') return refuse(NO_KEY)
  try {
    entry.request = JSON.parse(exchange.body)
  } catch {
    return refuse(BAD_JSON)
  }
  const request = asObject(entry.request)
  const rules = provider.profileOf(String(request.model))
  const fault = faultOfRequest(entry.endpoint, request, rules)
  return fault === undefined ? (request as OpenaiRequest) : refuse(refused(fault))
}
