import Anthropic from '@anthropic-ai/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/facade/cache.ts'
import { createCache } from '../../../src/facade/create-cache.ts'
import {
  type PromptCacheMiddlewareOptions,
  promptCacheMiddleware,
} from '../../../src/llm/middleware/prompt-cache-middleware.ts'
import {
  type FakeAnthropic,
  type FakeAnthropicOptions,
  fakeAnthropic,
} from '../../../src/testing/fake-anthropic/fake-anthropic.ts'
import { settle } from '../stream/scripted-stream.ts'

let provider: FakeAnthropic
let cache: Cache

const REQUEST = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Name the colours of the flag.' }],
}

beforeEach(() => {
  cache = createCache()
})

afterEach(async () => {
  await cache.close()
  await provider.close()
})

async function client(
  fake: FakeAnthropicOptions = {},
  options: Partial<PromptCacheMiddlewareOptions> = {},
  seen?: Response[],
): Promise<Anthropic> {
  provider = await fakeAnthropic(fake)
  const caching = promptCacheMiddleware({ cache, ttl: '1h', tenant: 'acme', ...options })
  return new Anthropic({
    apiKey: 'k',
    baseURL: provider.url,
    maxRetries: 0,
    middleware: [
      async (request, next) => {
        const response = await next(request)
        seen?.push(response.clone())
        return response
      },
      caching,
    ],
  })
}

const caches = (seen: Response[]) => seen.map((response) => response.headers.get('x-cache'))

describe('whole answers', () => {
  it('are asked for once, and are then the same byte for byte', async () => {
    const seen: Response[] = []
    const anthropic = await client({}, {}, seen)
    const first = await anthropic.messages.create(REQUEST)
    await settle()
    const second = await anthropic.messages.create(REQUEST)
    expect(second).toEqual(first)
    expect(second._request_id).toBe(first._request_id)
    expect(provider.calls).toBe(1)
    expect(caches(seen)).toEqual([null, 'hit'])
    const [one, two] = await Promise.all(seen.map((response) => response.text()))
    expect(two).toBe(one)
  })

  it('are shared by those who ask at the same time', async () => {
    const seen: Response[] = []
    const anthropic = await client({ ttft: 20 }, {}, seen)
    const all = await Promise.all([1, 2, 3].map(() => anthropic.messages.create(REQUEST)))
    expect(provider.calls).toBe(1)
    expect(new Set(all.map((message) => message.id)).size).toBe(1)
    expect(caches(seen).sort()).toEqual(['joined', 'joined', null])
  })

  it('of another tenant, beta, version or shape are not theirs', async () => {
    const anthropic = await client({}, { tenant: (request) => `of ${Object(request).max_tokens}` })
    await anthropic.messages.create(REQUEST)
    await anthropic.messages.create({ ...REQUEST, max_tokens: 99 })
    await anthropic.messages.create(REQUEST, { headers: { 'anthropic-beta': 'some-beta' } })
    await anthropic.messages.create(REQUEST, { headers: { 'anthropic-version': '2023-06-01' } })
    await anthropic.messages.stream(REQUEST).finalMessage()
    expect(provider.calls).toBe(5)
  })

  it('that are refused pass through and are not stored', async () => {
    const anthropic = await client()
    provider.fail('overloaded', { times: 1 })
    await expect(anthropic.messages.create(REQUEST)).rejects.toMatchObject({ status: 529 })
    await settle()
    const answer = await anthropic.messages.create(REQUEST)
    expect(answer.type).toBe('message')
    expect(provider.calls).toBe(2)
  })

  it('are retried by the client as without it, under the same key', async () => {
    const anthropic = await client()
    provider.fail('overloaded', { times: 1 })
    await anthropic.messages.create(REQUEST, { maxRetries: 2 })
    await settle()
    await anthropic.messages.create(REQUEST)
    expect(provider.calls).toBe(2)
  })

  it('that are refused tell all who share the call when to try again', async () => {
    const seen: Response[] = []
    const anthropic = await client({ ttft: 20 }, {}, seen)
    const limited = async (request: Request, next: (request: Request) => Promise<Response>) => {
      await next(request)
      const headers = { 'retry-after': '7', 'x-should-retry': 'false' }
      return new Response('{"type":"error","error":{}}', { status: 429, headers })
    }
    const failing = anthropic.withOptions({
      middleware: [
        ...(anthropic as unknown as { middleware: never[] }).middleware,
        limited as never,
      ],
    })
    const all = await Promise.allSettled([1, 2, 3].map(() => failing.messages.create(REQUEST)))
    expect(all.map((one) => one.status === 'rejected' && one.reason.status)).toEqual([
      429, 429, 429,
    ])
    expect(caches(seen).sort()).toEqual(['joined', 'joined', null])
    expect(seen.map((response) => response.headers.get('retry-after'))).toEqual(['7', '7', '7'])
    expect(provider.calls).toBe(1)
  })

  it('are not waited for longer than the client says, whoever shares the call', async () => {
    let calls = 0
    const hanging = (
      _url: unknown,
      { signal }: { signal?: AbortSignal } = {},
    ): Promise<Response> => {
      calls++
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    }
    provider = await fakeAnthropic()
    const caching = promptCacheMiddleware({ cache, ttl: '1h', tenant: 'acme' })
    const anthropic = new Anthropic({
      apiKey: 'k',
      maxRetries: 0,
      timeout: 30,
      fetch: hanging as never,
      middleware: [caching],
    })
    const all = await Promise.allSettled([1, 2, 3].map(() => anthropic.messages.create(REQUEST)))
    for (const one of all) {
      expect(one).toMatchObject({ reason: expect.any(Anthropic.APIConnectionTimeoutError) })
    }
    // The others have had an attempt of their own.
    expect(calls).toBe(2)
  })

  it('go on for the others when the one who made the call gives it up', async () => {
    const anthropic = await client({ ttft: 40 })
    const leaving = new AbortController()
    const first = anthropic.messages.create(REQUEST, { signal: leaving.signal })
    const gone = expect(first).rejects.toThrow(Anthropic.APIUserAbortError)
    const second = anthropic.messages.create(REQUEST)
    setTimeout(() => leaving.abort(), 15)
    await gone
    expect((await second).type).toBe('message')
    expect(provider.calls).toBe(1)
  })

  it('are there as responses, too', async () => {
    const anthropic = await client()
    await anthropic.messages.create(REQUEST)
    await settle()
    const { data, request_id, response } = await anthropic.messages.create(REQUEST).withResponse()
    expect(data.type).toBe('message')
    expect(request_id).toEqual(expect.any(String))
    expect(response.headers.get('x-cache')).toBe('hit')
    const raw = await anthropic.messages.create(REQUEST).asResponse()
    const [one, two] = await Promise.all([raw.clone().json(), raw.json()])
    expect(two).toEqual(one)
  })

  it('are counted, in the cache and in the layer', async () => {
    provider = await fakeAnthropic()
    const reports: unknown[] = []
    cache.on('llm', (report) => reports.push(report))
    const caching = promptCacheMiddleware({ cache, ttl: '1h', tenant: 'acme' })
    const anthropic = new Anthropic({ apiKey: 'k', baseURL: provider.url, middleware: [caching] })
    await anthropic.messages.create(REQUEST)
    await settle()
    await anthropic.messages.create(REQUEST)
    expect(reports).toMatchObject([{ provider: 'anthropic', l3: 'miss', skipped: undefined }])
    expect(cache.stats()).toMatchObject({ hits: { l1: 1 }, originCalls: 1 })
  })

  it('of other paths are left alone', async () => {
    const anthropic = await client()
    const count = { model: REQUEST.model, messages: REQUEST.messages }
    await anthropic.messages.countTokens(count)
    await anthropic.messages.countTokens(count)
    expect(cache.stats()).toMatchObject({ misses: 0 })
  })

  it('come from the provider when the cache is closed', async () => {
    const anthropic = await client()
    await cache.close()
    expect((await anthropic.messages.create(REQUEST)).type).toBe('message')
  })
})

describe('streams', () => {
  it('three at the same time are one call, live for all; then they are replayed', async () => {
    const seen: Response[] = []
    const anthropic = await client({ ttft: 10, chunkDelay: 5, chunks: 8 }, {}, seen)
    const texts = [0, 1, 2].map(() => [] as string[])
    const finals = await Promise.all(
      texts.map((pieces) =>
        anthropic.messages
          .stream(REQUEST)
          .on('text', (text) => pieces.push(text))
          .finalText(),
      ),
    )
    expect(provider.calls).toBe(1)
    expect(new Set(finals).size).toBe(1)
    expect(texts.map((pieces) => pieces.join(''))).toEqual(finals)
    // Piece by piece, not all at the end.
    expect(Math.min(...texts.map((pieces) => pieces.length))).toBeGreaterThan(4)
    await settle()
    const replay = await anthropic.messages.stream(REQUEST).finalText()
    expect(replay).toBe(finals[0])
    expect(provider.calls).toBe(1)
    expect(caches(seen)).toEqual([null, 'joined', 'joined', 'replay'])
    const bodies = await Promise.all(seen.map((response) => response.text()))
    expect(new Set(bodies).size).toBe(1)
  })

  it('two of three aborted leave the third whole, and stored', async () => {
    const anthropic = await client({ chunkDelay: 5 })
    const streams = [0, 1, 2].map(() => anthropic.messages.stream(REQUEST))
    await Promise.all(streams.slice(0, 2).map((stream) => stream.emitted('text')))
    const aborted = streams.slice(0, 2).map((stream) => stream.done())
    for (const stream of streams.slice(0, 2)) stream.abort()
    for (const done of aborted) await expect(done).rejects.toThrow(Anthropic.APIUserAbortError)
    const text = await streams[2]?.finalText()
    await settle()
    expect(await anthropic.messages.stream(REQUEST).finalText()).toBe(text)
    expect(provider.calls).toBe(1)
  })

  it('all aborted end the call of the provider and store nothing', async () => {
    const anthropic = await client({ chunkDelay: 20, chunks: 50 })
    const streams = [0, 1, 2].map(() => anthropic.messages.stream(REQUEST))
    await Promise.all(streams.map((stream) => stream.emitted('text')))
    const done = Promise.allSettled(streams.map((stream) => stream.done()))
    for (const stream of streams) stream.abort()
    expect((await done).map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect.poll(() => provider.log[0]?.end).toBe('aborted')
    expect(cache.stats().entries).toBe(0)
    expect(cache.stats().originCalls).toBe(1)
  })

  it.each(['before the head', 'in the middle', 'of a replay'])(
    'abort() %s never hangs',
    async (when) => {
      const anthropic = await client(
        { ttft: 30, chunkDelay: 30, chunks: 3 },
        { pacing: 'original' },
      )
      if (when === 'of a replay') {
        await anthropic.messages.stream(REQUEST).finalText()
        await settle()
      }
      const stream = anthropic.messages.stream(REQUEST)
      const done = stream.done().catch((error: unknown) => error)
      if (when !== 'before the head') await stream.emitted('connect')
      stream.abort()
      expect(await done).toBeInstanceOf(Anthropic.APIUserAbortError)
    },
  )

  it.each(['cut-stream', 'error-in-stream'] as const)('with %s are not stored', async (mode) => {
    const anthropic = await client()
    provider.fail(mode, { times: 1 })
    await anthropic.messages
      .stream(REQUEST)
      .finalText()
      .catch(() => {})
    await settle()
    expect(cache.stats().entries).toBe(0)
    const text = await anthropic.messages.stream(REQUEST).finalText()
    expect(text.length).toBeGreaterThan(0)
    expect(provider.calls).toBe(2)
  })

  it('that are truncated by max_tokens are handed on and not stored', async () => {
    const anthropic = await client({ reply: () => ({ stop_reason: 'max_tokens' }) as never })
    const message = await anthropic.messages.stream(REQUEST).finalMessage()
    expect(message.stop_reason).toBe('max_tokens')
    await settle()
    expect(cache.stats().entries).toBe(0)
  })
})
