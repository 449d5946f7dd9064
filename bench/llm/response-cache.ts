import type Anthropic from '@anthropic-ai/sdk'
import { createCache } from '../../src/facade/create-cache.ts'
import { promptCache } from '../../src/llm/prompt-cache/prompt-cache.ts'
import { normalizeUsage } from '../../src/llm/usage/normalize-usage.ts'
import { priceUsage } from '../../src/llm/usage/price-usage.ts'
import { fakeAnthropic } from '../../src/testing/fake-anthropic/fake-anthropic.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { Prng } from './prng.ts'
import { textOf } from './prompt-text.ts'
import { clientOf } from './replay.ts'
import { type MessagesRequest, MODEL } from './timed-request.ts'

const TTL_MS = 600_000

/** Only what was asked lately is asked again; the oldest of it has expired by then. */
const RECENT = 60

/** Small enough that the provider's own cache has no part in it. */
function smallRequest(name: string, tokens = 400): MessagesRequest {
  const content = textOf(name, tokens, new Prng(1))
  return { model: MODEL, max_tokens: 256, messages: [{ role: 'user', content }] }
}

/** What three equal calls cost, with the response cache and without. */
export interface RepeatedCall {
  readonly upstreamCalls: number
  readonly dollars: number
  readonly dollarsWithout: number
}

export async function repeatCall(times: number): Promise<RepeatedCall> {
  await using provider = await fakeAnthropic()
  const client = clientOf(provider.url)
  const send = (request: MessagesRequest): Promise<Anthropic.Messages.Message> =>
    client.messages.create({ ...request, stream: false })
  await using cache = createCache({ name: 'bench' })
  const ask = cache.cached(send, {
    ttl: '1h',
    llm: promptCache({ provider: 'anthropic', tenant: 'acme' }),
  })
  const request = smallRequest('Is this invoice complete?')
  for (let call = 0; call < times; call++) await ask(request)
  const upstreamCalls = provider.calls
  for (let call = 0; call < times; call++) await send(request)
  const dollars = provider.log.map(({ usage }) => dollarsOf({ model: MODEL, usage }))
  return {
    upstreamCalls,
    dollars: sum(dollars.slice(0, upstreamCalls)),
    dollarsWithout: sum(dollars.slice(upstreamCalls)),
  }
}

/** Hits of a trace, as they were and as they must be. */
export interface TraceHits {
  readonly calls: number
  /** Calls that ask what was asked before, whenever that was. */
  readonly repeats: number
  readonly hits: number
  readonly upstreamCalls: number
  readonly expectedHits: number
}

/**
 * A trace of which 40 % are repeats, some of them after the answer has expired. What must hit is told
 * apart by a map of expiry times, which knows nothing of the cache.
 */
export async function replayTrace(seed: number, calls: number): Promise<TraceHits> {
  const clock = new FakeClock()
  await using provider = await fakeAnthropic({ clock })
  const client = clientOf(provider.url)
  await using cache = createCache({ name: 'bench', clock })
  const ask = cache.cached(
    (request: MessagesRequest) => client.messages.create({ ...request, stream: false }),
    {
      ttl: TTL_MS,
      jitter: 0,
      llm: promptCache({ provider: 'anthropic', tenant: 'acme' }),
    },
  )
  const random = new Prng(seed)
  const freshUntil = new Map<number, number>()
  let repeats = 0
  let expectedHits = 0
  for (let call = 0; call < calls; call++) {
    await clock.advance(1 + Math.floor(random.gap(8000)))
    const isRepeat = freshUntil.size > 0 && random.chance(0.4)
    const asked = freshUntil.size
    const question = isRepeat ? random.between(Math.max(0, asked - RECENT), asked - 1) : asked
    if (isRepeat) repeats++
    if ((freshUntil.get(question) ?? 0) > clock.now()) expectedHits++
    else freshUntil.set(question, clock.now() + TTL_MS)
    await ask(smallRequest(`Question ${question}`, 100))
  }
  const { hits } = cache.stats()
  return { calls, repeats, hits: hits.l1, upstreamCalls: provider.calls, expectedHits }
}

function dollarsOf(answer: unknown): number {
  const usage = normalizeUsage('anthropic', answer)
  const price = usage && priceUsage(usage)
  if (!price || 'unknownModel' in price) throw new Error('the call has no known price')
  return price.actual
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
