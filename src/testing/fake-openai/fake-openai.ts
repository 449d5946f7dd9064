import type { Clock } from '../../contracts/clock.ts'
import { type Duration, toMs } from '../../kernel/duration.ts'
import {
  checkChoice,
  checkCount,
  checkFunction,
  checkNumber,
  checkOptionNames,
} from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'
import { seededRandom } from '../../kernel/seeded-random.ts'
import { checkOverrides } from '../../llm/models/check-overrides.ts'
import type { ModelProfile } from '../../llm/models/model-profile.ts'
import { findProfile } from '../../llm/models/profiles.ts'
import { type FaultMode, type FaultOptions, faultPlan } from '../loopback/fault-plan.ts'
import { asObject } from '../loopback/json-values.ts'
import { type Exchange, keyOf, loopbackServer } from '../loopback/loopback-server.ts'
import type { OpenAIReplyFunction } from './answer.ts'
import { BAD_JSON, NO_KEY, notFound, refused, SERVER_ERROR, sendError } from './api-errors.ts'
import type { OpenaiCacheBehaviour } from './cache-plan.ts'
import type { FakeOpenAICall, OpenCall } from './call-log.ts'
import { openaiCache } from './openai-cache.ts'
import { answerCall, type Provider } from './openai-call.ts'
import type { Endpoint, OpenaiRequest } from './openai-prompt.ts'
import { faultOfRequest } from './request-rules.ts'

/** Options of {@link fakeOpenAI}. */
export interface FakeOpenAIOptions extends OpenaiCacheBehaviour {
  /** Give it a `FakeClock` to make lifetimes pass at once. @default real time */
  clock?: Clock
  /** From the arrival of a call until its answer begins. @default 0 */
  ttft?: Duration
  /** Before each piece of an answer. @default 0 */
  chunkDelay?: Duration
  /** Pieces in which a text is streamed. @default 5 */
  chunks?: number
  /** Rules that hold for all models instead of those of the built-in table, e.g. `{ minTokens: 1 }`. */
  profile?: Partial<ModelProfile>
  /** Makes the answers. @default a sentence that depends on the prompt alone */
  reply?: OpenAIReplyFunction
  /** Shares of the calls that fail, from 0 to 1, by mode. @default none */
  faults?: FaultOptions
  /** Of `faults`: the same seed and calls give the same. @default 1 */
  seed?: number
}

/** A provider that speaks the APIs of OpenAI on this machine. */
export interface FakeOpenAI {
  /** For the option `baseURL` of the SDK. */
  readonly url: string
  /** How often one of the two APIs was called, whatever became of it; each try of a client counts. */
  readonly calls: number
  /** One entry for each of them, in the order of their arrival. */
  readonly log: readonly FakeOpenAICall[]
  /**
   * Makes calls fail, from now on or the next `times` of them; `fail('none')` ends it.
   * @throws ERR_INVALID_OPTION for a mode that there is not
   */
  fail(mode: FaultMode | 'none', options?: { times?: number }): void
  /** Ends open connections, and the server. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const OPTIONS = [
  'clock',
  'ttft',
  'chunkDelay',
  'chunks',
  'profile',
  'reply',
  'refresh',
  'lookup',
  'implicitAt',
  'faults',
  'seed',
] as const satisfies readonly (keyof FakeOpenAIOptions)[]

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
  return {
    url: `${server.url}/v1`,
    get calls() {
      return log.length
    },
    log,
    fail: provider.faults.fail,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  }
}

function checkOptions(options: FakeOpenAIOptions, where: string): void {
  checkOptionNames(options as unknown, OPTIONS, where)
  checkChoice(options.lookup, ['guide', 'latest-80'], `lookup of ${where}`)
  checkChoice(options.refresh, ['write', 'read'], `refresh of ${where}`)
  checkChoice(options.implicitAt, ['last-user-message', 'last-message'], `implicitAt of ${where}`)
  checkNumber(options.seed, `seed of ${where}`, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  checkCount(options.chunks, `chunks of ${where}`)
  checkFunction(options.reply, `reply of ${where}`)
  const { profile } = options
  if (profile !== undefined) {
    checkOverrides({ [`openai/${profile.id ?? '*'}`]: profile }, `profile of ${where}`)
  }
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
  const entry: OpenCall = {
    call: log.length + 1,
    endpoint,
    workspace: keyOf(exchange) ?? '',
    at: clock.now(),
    stream: false,
  }
  log.push(entry)
  exchange.response.once('close', () => {
    entry.endedAt = clock.now()
    entry.end ??= exchange.signal.aborted ? 'aborted' : 'complete'
  })
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
