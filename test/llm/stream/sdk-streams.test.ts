import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/facade/cache.ts'
import { createCache } from '../../../src/facade/create-cache.ts'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { cachedStream } from '../../../src/llm/stream/cached-stream.ts'
import { followStream } from '../../../src/llm/stream/follow-stream.ts'
import {
  type FakeAnthropic,
  type FakeAnthropicOptions,
  fakeAnthropic,
} from '../../../src/testing/fake-anthropic/fake-anthropic.ts'
import { fakeOpenAI } from '../../../src/testing/fake-openai/fake-openai.ts'
import { collect, settle } from './scripted-stream.ts'

const REQUEST: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Name the colours of the flag.' }],
}

let provider: FakeAnthropic
let cache: Cache
let client: Anthropic

async function start(options: FakeAnthropicOptions = {}): Promise<void> {
  provider = await fakeAnthropic(options)
  client = new Anthropic({ apiKey: 'k', baseURL: provider.url, maxRetries: 0 })
}

beforeEach(() => {
  cache = createCache()
})

afterEach(async () => {
  await cache.close()
  await provider?.close()
})

function layer() {
  return promptCache({ provider: 'anthropic', tenant: 'acme' })
}

/** The stream of `create`, that of `stream`, and the way they are given up. */
const KINDS = {
  'messages.create': (request: Anthropic.MessageCreateParamsNonStreaming) =>
    client.messages.create({ ...request, stream: true }),
  'messages.stream': (request: Anthropic.MessageCreateParamsNonStreaming) =>
    client.messages.stream(request),
}

function finalOf(events: readonly unknown[]): unknown {
  const tail = followStream()
  for (const event of events) tail.add(event)
  return tail.final()
}

describe.each(Object.entries(KINDS))('the stream of %s', (_name, open) => {
  const streams = (options: object = {}) =>
    cachedStream((request: Anthropic.MessageCreateParamsNonStreaming) => open(request), {
      cache,
      name: 'ask',
      ttl: '1h',
      llm: layer(),
      ...options,
    })

  it('is one call for three, then a replay of the same events', async () => {
    await start({ ttft: 5, chunkDelay: 2, chunks: 8 })
    const ask = streams()
    const live = await Promise.all([1, 2, 3].map(() => collect(ask(REQUEST))))
    expect(provider.calls).toBe(1)
    expect(live[1]).toEqual(live[0])
    expect(live[2]).toEqual(live[0])
    await settle()
    const replay = ask({ ...REQUEST, metadata: { user_id: 'does not matter' } })
    expect(await collect(replay)).toEqual(live[0])
    expect(replay.source).toBe('replay')
    expect(provider.calls).toBe(1)
    const whole = await client.messages.create(REQUEST)
    const { content, stop_reason } = finalOf(live[0] as unknown[]) as Anthropic.Message
    expect({ content, stop_reason }).toEqual({
      content: whole.content,
      stop_reason: whole.stop_reason,
    })
    // As it was sent: nothing of what came later is in it.
    expect(live[0]?.[0]).toMatchObject({ type: 'message_start', message: { content: [] } })
  })

  it('is planned, counted and told of', async () => {
    await start()
    const reports: unknown[] = []
    cache.on('llm', (report) => reports.push(report))
    const ask = streams()
    await collect(ask(REQUEST))
    await settle()
    await collect(ask(REQUEST))
    await collect(ask({ ...REQUEST, max_tokens: 99 }))
    await settle()
    expect(reports).toMatchObject([
      { provider: 'anthropic', model: 'claude-sonnet-5', l3: 'miss', skipped: undefined },
      { provider: 'anthropic', model: 'claude-sonnet-5' },
    ])
    expect(ask.stats()).toMatchObject({ originCalls: 2, missesL3: 2, hits: { l1: 1 } })
  })

  it('that is left by all is aborted at the provider', async () => {
    await start({ chunkDelay: 20, chunks: 50 })
    const ask = streams()
    const readers = [ask(REQUEST), ask(REQUEST)]
    await Promise.all(readers.map((reader) => reader.next()))
    await Promise.all(readers.map((reader) => reader.return()))
    await expect.poll(() => provider.log[0]?.end).toBe('aborted')
    expect(cache.stats().entries).toBe(0)
  })

  it('that is left with its last event is stored all the same', async () => {
    await start()
    const ask = streams()
    for await (const event of ask(REQUEST)) if (event.type === 'message_stop') break
    await expect.poll(() => cache.stats().entries).toBe(1)
  })

  it.each(['cut-stream', 'error-in-stream'] as const)('with %s is not stored', async (mode) => {
    await start()
    provider.fail(mode, { times: 1 })
    const ask = streams()
    await collect(ask(REQUEST)).catch(() => {})
    await settle()
    expect(cache.stats().entries).toBe(0)
    expect((await collect(ask(REQUEST))).at(-1)).toEqual({ type: 'message_stop' })
    expect(provider.calls).toBe(2)
  })

  it('that ended for a bad reason is not stored, and its tokens are counted', async () => {
    await start({ reply: () => ({ text: 'I …', stop_reason: 'max_tokens' }) })
    const reports: unknown[] = []
    cache.on('llm', (report) => reports.push(report))
    await collect(streams()(REQUEST))
    await settle()
    expect(cache.stats().entries).toBe(0)
    expect(reports).toMatchObject([{ skipped: expect.any(String) }])
  })

  it('too long to be kept is counted at its end', async () => {
    await start({ chunkDelay: 2 })
    const reports: unknown[] = []
    cache.on('llm', (report) => reports.push(report))
    const ask = streams({ maxBytes: 300 })
    const events = await collect(ask(REQUEST))
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
    await settle()
    expect(reports).toHaveLength(1)
    expect(cache.stats().entries).toBe(0)
  })
})

describe('a request that is not to be cached', () => {
  it('is a call for each, planned and counted', async () => {
    await start()
    const reports: unknown[] = []
    cache.on('llm', (report) => reports.push(report))
    const ask = cachedStream(
      (request: Anthropic.MessageCreateParamsNonStreaming) =>
        client.messages.create({ ...request, stream: true }),
      { cache, name: 'ask', ttl: '1h', llm: layer() },
    )
    const search = { type: 'web_search_20250305' as const, name: 'web_search' as const }
    const live = { ...REQUEST, tools: [search] }
    const two = await Promise.all([collect(ask(live)), collect(ask(live))])
    expect(two.map((events) => events.at(-1))).toEqual([
      { type: 'message_stop' },
      { type: 'message_stop' },
    ])
    await settle()
    expect(provider.calls).toBe(2)
    expect(reports).toHaveLength(2)
    expect(cache.stats().entries).toBe(0)
  })
})

describe('the stream of OpenAI', () => {
  it('is shared, stored and replayed', async () => {
    const fake = await fakeOpenAI()
    const openai = new OpenAI({ apiKey: 'k', baseURL: fake.url, maxRetries: 0 })
    const ask = cachedStream(
      (request: OpenAI.ChatCompletionCreateParamsNonStreaming) =>
        openai.chat.completions.create({ ...request, stream: true }),
      {
        cache,
        name: 'chat',
        ttl: '1h',
        llm: promptCache({ provider: 'openai', tenant: 'acme' }),
      },
    )
    const request = { model: 'gpt-5.4', messages: [{ role: 'user' as const, content: 'Hi' }] }
    const [one, two] = await Promise.all([collect(ask(request)), collect(ask(request))])
    expect(two).toEqual(one)
    await settle()
    expect(await collect(ask(request))).toEqual(one)
    expect(fake.calls).toBe(1)
    await fake.close()
  })
})
