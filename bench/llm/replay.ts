import Anthropic from '@anthropic-ai/sdk'
import type { ModelProfile } from '../../src/llm/models/model-profile.ts'
import { normalizeUsage } from '../../src/llm/usage/normalize-usage.ts'
import type { NormalizedUsage } from '../../src/llm/usage/normalized-usage.ts'
import { priceUsage } from '../../src/llm/usage/price-usage.ts'
import { fakeAnthropic } from '../../src/testing/fake-anthropic/fake-anthropic.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { AccountingOracle } from './oracle.ts'
import type { MarkedRequest, Strategy } from './strategies.ts'
import type { TimedRequest } from './timed-request.ts'

/** What a workload has cost under one strategy. */
export interface Replay {
  /** In tokens of input. */
  readonly cost: number
  readonly inputDollars: number
  readonly totalDollars: number
  /** Calls that the provider billed otherwise than the oracle does: none, or one of them is wrong. */
  readonly disputed: number
}

/**
 * Sends a workload through the SDK to the loopback provider, whose clock is set to the time of each
 * request, so that hours pass at once. What is added up is what the answers say.
 */
export async function replay(
  requests: readonly TimedRequest[],
  strategy: Strategy,
  profile: ModelProfile,
): Promise<Replay> {
  const clock = new FakeClock()
  let outputTokens = 0
  await using provider = await fakeAnthropic({
    clock,
    profile,
    reply: () => ({ text: 'Done.', outputTokens }),
  })
  const client = clientOf(provider.url)
  const oracle = new AccountingOracle(profile)
  const marking = strategy.begin()
  const sum = { cost: 0, inputDollars: 0, totalDollars: 0, disputed: 0 }
  for (const timed of requests) {
    const { at } = timed
    if (at > clock.now()) await clock.advance(at - clock.now())
    outputTokens = timed.outputTokens
    const request = marking.mark(timed)
    const usage = await send(client, request)
    marking.learn(usage, at)
    sum.cost += costOf(usage, profile)
    addDollars(sum, usage)
    if (isDisputed(usage, oracle.call(request, at))) sum.disputed++
  }
  return sum
}

export function clientOf(url: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: 'loopback', maxRetries: 0 })
}

async function send(client: Anthropic, request: MarkedRequest): Promise<NormalizedUsage> {
  const answer = await client.messages.create({ ...request, stream: false })
  const usage = normalizeUsage('anthropic', answer)
  if (usage === undefined) throw new Error('the answer has no usage')
  return usage
}

/** In tokens of input. */
function costOf(usage: NormalizedUsage, profile: ModelProfile): number {
  const { '5m': short = 0, '1h': long = 0 } = usage.cacheWrite
  const { write, read } = profile
  return (
    usage.inputUncached +
    usage.cacheRead * read +
    short * (write['5m'] as number) +
    long * (write['1h'] as number)
  )
}

function addDollars(
  sum: { inputDollars: number; totalDollars: number },
  usage: NormalizedUsage,
): void {
  const price = priceUsage(usage)
  if ('unknownModel' in price) throw new Error(`${price.unknownModel} has no known price`)
  sum.totalDollars += price.actual
  sum.inputDollars += price.actual - price.breakdown.output
}

function isDisputed(
  { cacheRead, cacheWrite, inputUncached }: NormalizedUsage,
  bill: { read: number; write5m: number; write1h: number; input: number },
): boolean {
  const { '5m': short = 0, '1h': long = 0 } = cacheWrite
  return (
    cacheRead !== bill.read ||
    short !== bill.write5m ||
    long !== bill.write1h ||
    inputUncached !== bill.input
  )
}
