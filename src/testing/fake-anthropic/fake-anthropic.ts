import { type Duration, toMs } from '../../kernel/duration.ts'
import { checkChoice, checkNumber } from '../../kernel/options.ts'
import { realClock } from '../../kernel/real-clock.ts'
import { seededRandom } from '../../kernel/seeded-random.ts'
import { findProfile } from '../../llm/models/profiles.ts'
import { faultPlan } from '../loopback/fault-plan.ts'
import {
  checkLoopbackOptions,
  type LoopbackOptions,
  type LoopbackProvider,
  loopbackProvider,
} from '../loopback/loopback-provider.ts'
import { loopbackServer } from '../loopback/loopback-server.ts'
import type { ReplyFunction } from './answer.ts'
import type { FakeCall, OpenCall } from './call-log.ts'
import { diagnosticsLog } from './diagnostics.ts'
import type { Provider } from './messages-call.ts'
import { promptCacheModel } from './prompt-cache.ts'
import { route } from './routes.ts'

/** Options of {@link fakeAnthropic}. */
export interface FakeAnthropicOptions extends LoopbackOptions<ReplyFunction> {
  /** What a read keeps alive: the entry that was hit, or also those at markers before it. @default 'hit' */
  refresh?: 'hit' | 'hit+marked'
  /** From the first byte of an answer until what it wrote can be read. @default 0 */
  commitLag?: Duration
  /** Share of the calls that find nothing in the prompt cache, from 0 to 1. @default 0 */
  missJitter?: number
  /** Of calls that write the same at the same time, who pays for it. @default 'all-billed' */
  concurrentWriters?: 'all-billed' | 'first-billed'
}

/** A provider that speaks the Messages API of Anthropic on this machine. */
export type FakeAnthropic = LoopbackProvider<FakeCall>

const OWN_OPTIONS = [
  'refresh',
  'commitLag',
  'missJitter',
  'concurrentWriters',
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
  return loopbackProvider<FakeCall>(server, provider.faults, log)
}

function checkOptions(options: FakeAnthropicOptions, where: string): void {
  checkLoopbackOptions(options, OWN_OPTIONS, 'anthropic', where)
  checkChoice(options.refresh, ['hit', 'hit+marked'], `refresh of ${where}`)
  checkChoice(
    options.concurrentWriters,
    ['all-billed', 'first-billed'],
    `concurrentWriters of ${where}`,
  )
  checkNumber(options.missJitter, `missJitter of ${where}`, 0, 1)
}
