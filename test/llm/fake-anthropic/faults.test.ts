import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { FIVE_MINUTES, textBlock } from './prompts.ts'
import { provider, until } from './provider.ts'

const request: Anthropic.Messages.MessageCreateParamsNonStreaming = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  system: [textBlock(2000, 's', FIVE_MINUTES)],
  messages: [{ role: 'user', content: 'Hello' }],
}

describe('fail()', () => {
  it('overloaded answers 529, until it is ended', async () => {
    const { client, fake } = await provider()
    fake.fail('overloaded')
    for (let round = 0; round < 2; round++) {
      await expect(client.messages.create(request)).rejects.toMatchObject({
        status: 529,
        type: 'overloaded_error',
      })
    }
    fake.fail('none')
    const { usage } = await client.messages.create(request)
    expect(usage.cache_read_input_tokens).toBe(0)
    expect(fake.log.map(({ status, fault }) => [status, fault])).toEqual([
      [529, 'overloaded'],
      [529, 'overloaded'],
      [200, undefined],
    ])
  })

  it('rate-limited answers 429 and says for how long', async () => {
    const { client, fake, clock } = await provider({ faults: { retryAfter: '2500ms' } })
    await clock.advance('1h')
    fake.fail('rate-limited', { times: 1 })
    const error = await client.messages.create(request).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Anthropic.RateLimitError)
    const { headers, type } = error as InstanceType<typeof Anthropic.RateLimitError>
    expect(type).toBe('rate_limit_error')
    expect(headers.get('retry-after')).toBe('3')
    expect(headers.get('anthropic-ratelimit-requests-remaining')).toBe('0')
    expect(headers.get('anthropic-ratelimit-requests-reset')).toBe('1970-01-01T01:00:02.500Z')
    await expect(client.messages.create(request)).resolves.toBeDefined()
  })

  it('is tried again by the SDK, and every try is a call', async () => {
    const { fake } = await provider({ faults: { retryAfter: 0 } })
    const client = new Anthropic({ apiKey: 'one', baseURL: fake.url, maxRetries: 2 })
    fake.fail('rate-limited', { times: 1 })
    await client.messages.create(request)
    expect(fake.calls).toBe(2)
  })

  it('slow answers later by slowBy', async () => {
    const { client, fake, clock } = await provider({ ttft: '1s', faults: { slowBy: '10s' } })
    fake.fail('slow', { times: 1 })
    const call = client.messages.create(request)
    await until(() => clock.pending === 1)
    await clock.advance('10999ms')
    expect(fake.log[0]?.status).toBeUndefined()
    await clock.advance('1ms')
    await call
    expect(fake.log[0]?.firstByteAt).toBe(11_000)
  })

  it('hang never answers, until the client goes or the server is closed', async () => {
    const { client, fake } = await provider()
    fake.fail('hang')
    const leaving = new AbortController()
    const left = client.messages.create(request, { signal: leaving.signal })
    await until(() => fake.calls === 1)
    leaving.abort()
    await expect(left).rejects.toBeInstanceOf(Anthropic.APIUserAbortError)
    await until(() => fake.log[0]?.end === 'aborted')

    const stuck = client.messages.create(request)
    await until(() => fake.calls === 2)
    await Promise.all([
      expect(stuck).rejects.toBeInstanceOf(Anthropic.APIConnectionError),
      fake.close(),
    ])
    expect(fake.log[1]?.status).toBeUndefined()
  })

  it('cut-stream breaks the connection after half of the pieces, and has written', async () => {
    const { client, fake } = await provider({ chunks: 4, reply: () => 'abcd' })
    fake.fail('cut-stream', { times: 1 })
    const pieces: string[] = []
    const stream = client.messages.stream(request).on('text', (piece) => pieces.push(piece))
    await expect(stream.done()).rejects.toThrow()
    expect(pieces).toEqual(['a', 'b'])
    expect(fake.log[0]).toMatchObject({ status: 200, end: 'cut', fault: 'cut-stream' })
    const { usage } = await client.messages.create(request)
    expect(usage.cache_read_input_tokens).toBe(2000)
  })

  it('cut-stream breaks an answer that is no stream in the middle as well', async () => {
    const { client, fake } = await provider()
    fake.fail('cut-stream', { times: 1 })
    await expect(client.messages.create(request)).rejects.toThrow()
    expect(fake.log[0]).toMatchObject({ end: 'cut' })
  })

  it('error-in-stream ends a stream with an error event', async () => {
    const { client, fake } = await provider({ chunks: 4, reply: () => 'abcd' })
    fake.fail('error-in-stream', { times: 2 })
    const pieces: string[] = []
    const stream = client.messages.stream(request).on('text', (piece) => pieces.push(piece))
    await expect(stream.done()).rejects.toMatchObject({ type: 'overloaded_error' })
    expect(pieces).toEqual(['a', 'b'])
    await expect(client.messages.create(request)).rejects.toMatchObject({
      status: 500,
      type: 'api_error',
    })
  })
})

describe('faults by rate', () => {
  it('come as often as they should, and the same for the same seed', async () => {
    const statuses = async (seed: number) => {
      const { client, fake } = await provider({
        seed,
        faults: { overloaded: 0.3, 'rate-limited': 0.2 },
      })
      for (let call = 0; call < 60; call++) {
        await client.messages.create(request).catch(() => {})
      }
      return fake.log.map(({ status }) => status)
    }
    const first = await statuses(7)
    expect(await statuses(7)).toEqual(first)
    expect(await statuses(8)).not.toEqual(first)
    const share = (status: number) => first.filter((one) => one === status).length / first.length
    expect(share(529)).toBeGreaterThan(0.15)
    expect(share(529)).toBeLessThan(0.45)
    expect(share(429)).toBeGreaterThan(0.08)
    expect(share(429)).toBeLessThan(0.35)
  })
})

describe('close()', () => {
  it('ends open streams and can be called twice', async () => {
    const { client, fake, clock } = await provider({ chunkDelay: '1s' })
    const stream = client.messages.stream(request)
    const failed = expect(stream.done()).rejects.toThrow()
    await until(() => clock.pending === 1)
    await Promise.all([fake.close(), fake.close(), failed])
    expect(clock.pending).toBe(0)
    await expect(client.messages.create(request)).rejects.toBeInstanceOf(
      Anthropic.APIConnectionError,
    )
  })
})
