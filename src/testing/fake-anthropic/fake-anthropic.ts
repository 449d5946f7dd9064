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
import { loopbackServer } from '../loopback/loopback-server.ts'
import type { ReplyFunction } from './answer.ts'
import type { FakeCall, OpenCall } from './call-log.ts'
import { diagnosticsLog } from './diagnostics.ts'
import type { Provider } from './messages-call.ts'
import { promptCacheModel } from './prompt-cache.ts'
import { route } from './routes.ts'

/** Options of {@link fakeAnthropic}. */
export interface FakeAnthropicOptions {
  /** Give it a `FakeClock` to make lifetimes pass at once. @default real time */
  clock?: Clock
  /** From the arrival of a call until its answer begins. @default 0 */
  ttft?: Duration
  /** Before each piece of an answer. @default 0 */
  chunkDelay?: Duration
  /** Pieces in which a block of an answer is streamed. @default 5 */
  chunks?: number
  /** Rules that hold for all models instead of those of the built-in table, e.g. `{ minTokens: 1 }`. */
  profile?: Partial<ModelProfile>
  /** Makes the answers. @default a sentence that depends on the prompt alone */
  reply?: ReplyFunction
  /** What a read keeps alive: the entry that was hit, or also those at markers before it. @default 'hit' */
  refresh?: 'hit' | 'hit+marked'
  /** From the first byte of an answer until what it wrote can be read. @default 0 */
  commitLag?: Duration
  /** Share of the calls that find nothing in the prompt cache, from 0 to 1. @default 0 */
  missJitter?: number
  /** Of calls that write the same at the same time, who pays for it. @default 'all-billed' */
  concurrentWriters?: 'all-billed' | 'first-billed'
  /** Shares of the calls that fail, from 0 to 1, by mode. @default none */
  faults?: FaultOptions
  /** Of `missJitter` and `faults`: the same seed and calls give the same. @default 1 */
  seed?: number
}

/** A provider that speaks the Messages API of Anthropic on this machine. */
export interface FakeAnthropic {
  /** For the option `baseURL` of the SDK. */
  readonly url: string
  /** How often `POST /v1/messages` was called, whatever became of it; each try of a client counts. */
  readonly calls: number
  /** One entry for each of them, in the order of their arrival. */
  readonly log: readonly FakeCall[]
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
  'commitLag',
  'missJitter',
  'concurrentWriters',
  'faults',
  'seed',
] as const satisfies readonly (keyof FakeAnthropicOptions)[]

/**
 * A loopback server that speaks the Messages API and accounts for prompts as Anthropic documents it, to
 * the token: what costs money in production shows in a test, without a key and without a network.
 *
 * ```ts
 * await using provider = await fakeAnthropic()
 * const client = new Anthropic({ baseURL: provider.url, apiKey: 'test' })
 * await client.messages.create(request)
 * await client.messages.create(request)
 * expect(provider.log[1]?.usage?.cache_read_input_tokens).toBeGreaterThan(1000)
 * ```
 *
 * It answers `POST /v1/messages`, whole and streamed, and `POST /v1/messages/count_tokens`. Each key has a
 * workspace of its own. Tokens are counted by bytes: four of a text (or of the JSON of any other block)
 * are one. Not modelled: server tools that search or run code, thinking blocks that older models drop.
 *
 * Sources: https://platform.claude.com/docs/en/build-with-claude/prompt-caching and the types of
 * `@anthropic-ai/sdk` 1.12.0.
 *
 * @throws ERR_INVALID_OPTION
 */
export async function fakeAnthropic(options: FakeAnthropicOptions = {}): Promise<FakeAnthropic> {
  const where = 'fakeAnthropic()'
  checkOptions(options, where)
  const { clock = realClock, profile, seed = 1 } = options
  const profileOf = (model: string) => ({ ...findProfile('anthropic', model), ...profile })
  const provider: Provider = {
    clock,
    ttftMs: toMs(options.ttft ?? 0, `ttft of ${where}`),
    chunkDelayMs: toMs(options.chunkDelay ?? 0, `chunkDelay of ${where}`),
    chunks: options.chunks ?? 5,
    cache: promptCacheModel({
      rules: profileOf,
      refresh: options.refresh ?? 'hit',
      commitLagMs: toMs(options.commitLag ?? 0, `commitLag of ${where}`),
      missJitter: options.missJitter ?? 0,
      concurrentWriters: options.concurrentWriters ?? 'all-billed',
      random: seededRandom(seed),
    }),
    // Of their own, so that a rate of one kind does not move the draws of the other.
    faults: faultPlan(options.faults ?? {}, seededRandom(seed + 1), where),
    diagnostics: diagnosticsLog(),
    reply: options.reply,
  }
  const log: OpenCall[] = []
  let requests = 0
  const server = await loopbackServer((exchange) => {
    requests++
    const requestId = `req_${String(requests).padStart(24, '0')}`
    return route(exchange, requestId, { provider, profileOf, log })
  })
  return {
    url: server.url,
    get calls() {
      return log.length
    },
    log,
    fail: provider.faults.fail,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  }
}

function checkOptions(options: FakeAnthropicOptions, where: string): void {
  checkOptionNames(options as unknown, OPTIONS, where)
  checkChoice(options.refresh, ['hit', 'hit+marked'], `refresh of ${where}`)
  checkChoice(
    options.concurrentWriters,
    ['all-billed', 'first-billed'],
    `concurrentWriters of ${where}`,
  )
  checkNumber(options.missJitter, `missJitter of ${where}`, 0, 1)
  checkNumber(options.seed, `seed of ${where}`, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  checkCount(options.chunks, `chunks of ${where}`)
  checkFunction(options.reply, `reply of ${where}`)
  const { profile } = options
  if (profile !== undefined) {
    checkOverrides({ [`anthropic/${profile.id ?? '*'}`]: profile }, `profile of ${where}`)
  }
}
