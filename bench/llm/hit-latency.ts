import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import type { Store } from '../../src/contracts/store.ts'
import { createCache } from '../../src/facade/create-cache.ts'
import { promptCacheMiddleware } from '../../src/llm/middleware/prompt-cache-middleware.ts'
import { promptCache } from '../../src/llm/prompt-cache/prompt-cache.ts'
import { sqlite } from '../../src/sqlite.ts'
import { fakeAnthropic } from '../../src/testing/fake-anthropic/fake-anthropic.ts'
import { quantile } from '../harness/statistics.ts'
import { Prng } from './prng.ts'
import { textBlock, textOf, toolOf } from './prompt-text.ts'
import { clientOf } from './replay.ts'
import { type MessagesRequest, MODEL } from './timed-request.ts'

/** What an upstream that is said to be fast takes: stated, not measured. */
export const UPSTREAM_MS = { firstByte: 800, wholeAnswer: 4000 } as const

/** Milliseconds from the call to the whole answer. */
export interface HitLatency {
  readonly level: string
  readonly hits: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Hits of an answer of 300 tokens to a prompt of 7,500. */
export async function measureHits(rounds: number): Promise<HitLatency[]> {
  return [
    await hitsOfCached('L1', rounds, undefined),
    await withSqlite((store) => hitsOfCached('L2, sqlite', Math.ceil(rounds / 2), store)),
    await hitsOfMiddleware('L1, through the SDK', Math.ceil(rounds / 2)),
  ]
}

async function hitsOfCached(
  level: string,
  rounds: number,
  l2: Store | undefined,
): Promise<HitLatency> {
  await using provider = await fakeAnthropic({ reply })
  const client = clientOf(provider.url)
  await using cache = createCache({ name: 'bench', ...(l2 && { l1: false, l2 }) })
  await cache.ready({ timeout: '10s' })
  const ask = cache.cached(
    (request: MessagesRequest): Promise<Anthropic.Messages.Message> =>
      client.messages.create({ ...request, stream: false }),
    { name: 'ask', ttl: '1h', llm: promptCache({ provider: 'anthropic', tenant: 'acme' }) },
  )
  const latency = await timesOf(level, rounds, ask)
  if (provider.calls !== REQUESTS) throw new Error(`${level}: not all were hits`)
  return latency
}

/** The whole way of a client: it makes an HTTP request, which the middleware answers from the cache. */
async function hitsOfMiddleware(level: string, rounds: number): Promise<HitLatency> {
  await using provider = await fakeAnthropic({ reply })
  await using cache = createCache({ name: 'bench' })
  const client = new Anthropic({
    baseURL: provider.url,
    apiKey: 'loopback',
    maxRetries: 0,
    middleware: [promptCacheMiddleware({ cache, ttl: '1h', tenant: 'acme' })],
  })
  const latency = await timesOf(level, rounds, (request) =>
    client.messages.create({ ...request, stream: false }),
  )
  if (provider.calls !== REQUESTS) throw new Error(`${level}: not all were hits`)
  return latency
}

/** About 300 tokens. */
const reply = (): string => 'A finding. '.repeat(110)

const REQUESTS = 50

async function timesOf(
  level: string,
  rounds: number,
  ask: (request: MessagesRequest) => Promise<unknown>,
): Promise<HitLatency> {
  const requests = Array.from({ length: REQUESTS }, (_, index) => requestOf(index))
  for (const request of requests) await ask(request)
  const times: number[] = []
  const warmUp = Math.ceil(rounds / 5)
  for (let index = -warmUp; index < rounds; index++) {
    // As it comes from a caller: new objects each time.
    const request = structuredClone(requests[(index + warmUp) % REQUESTS]) as MessagesRequest
    const start = performance.now()
    await ask(request)
    if (index >= 0) times.push(performance.now() - start)
  }
  return { level, hits: rounds, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
}

function requestOf(index: number): MessagesRequest {
  const random = new Prng(7)
  return {
    model: MODEL,
    max_tokens: 1024,
    tools: [toolOf('record_findings', 1000, random)],
    system: textOf('Rules of validation', 5000, random),
    messages: [{ role: 'user', content: [textBlock(`Invoice ${index}`, 1500, random)] }],
  }
}

async function withSqlite<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'resilient-cache-bench-'))
  try {
    return await use(sqlite({ path: join(folder, 'cache.db'), timeout: '5s' }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
