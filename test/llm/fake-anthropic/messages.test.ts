import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { FIVE_MINUTES, ONE_HOUR, text, textBlock } from './prompts.ts'
import { drive, provider, until } from './provider.ts'

type Params = Anthropic.Messages.MessageCreateParamsNonStreaming

const hello: Params = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello' }],
}

const document = (tokens: number): Params => ({
  ...hello,
  system: [textBlock(tokens, 's', FIVE_MINUTES)],
})

describe('an answer of fakeAnthropic', () => {
  it('has the shape that the SDK types, and is the same for the same prompt', async () => {
    const { client } = await provider()
    const message = await client.messages.create(hello)
    expect(message).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-5',
      stop_reason: 'end_turn',
      stop_sequence: null,
      diagnostics: null,
      usage: {
        input_tokens: 2,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens_details: null,
        service_tier: 'standard',
      },
    })
    expect(message._request_id).toMatch(/^req_/)
    const [said] = message.content as [Anthropic.TextBlock]
    expect(message.usage.output_tokens).toBe(Math.ceil(said.text.length / 4))
    const again = await client.messages.create({ ...hello, cache_control: FIVE_MINUTES })
    expect(again.content).toEqual(message.content)
    const other = await client.messages.create({ ...hello, model: 'claude-opus-5' })
    expect(other.content).not.toEqual(message.content)
  })

  it('is cut at max_tokens', async () => {
    const { client } = await provider()
    const message = await client.messages.create({ ...hello, max_tokens: 3 })
    expect(message.stop_reason).toBe('max_tokens')
    expect(message.usage.output_tokens).toBe(3)
  })

  it('reads 100,000 tokens and pays for 50 in the documented example', async () => {
    const { client } = await provider()
    const request = {
      ...document(100_000),
      messages: [{ role: 'user' as const, content: text(50, 'q') }],
    }
    await client.messages.create(request)
    const { usage } = await client.messages.create(request)
    expect(usage).toMatchObject({
      cache_read_input_tokens: 100_000,
      cache_creation_input_tokens: 0,
      input_tokens: 50,
    })
  })

  it('tells what was written by lifetime', async () => {
    const { client } = await provider({ profile: { minTokens: 1 } })
    const { usage } = await client.messages.create({
      ...hello,
      system: [textBlock(100, 's', ONE_HOUR)],
      messages: [{ role: 'user', content: [textBlock(148, 'u', FIVE_MINUTES), textBlock(2048)] }],
    })
    expect(usage).toMatchObject({
      input_tokens: 2048,
      cache_creation_input_tokens: 248,
      cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
    })
  })

  it('fills the cache and says nothing where max_tokens is 0', async () => {
    const { client, fake } = await provider({
      reply: () => {
        throw new Error('nobody asked')
      },
    })
    const request = { ...document(5120), max_tokens: 0 }
    request.messages = [{ role: 'user', content: text(8) }]
    const message = await client.messages.create(request)
    expect(message).toMatchObject({ content: [], stop_reason: 'max_tokens' })
    expect(message.usage).toMatchObject({
      input_tokens: 8,
      cache_creation_input_tokens: 5120,
      output_tokens: 0,
    })
    expect((await client.messages.create(request)).usage.cache_read_input_tokens).toBe(5120)
    expect(fake.calls).toBe(2)
  })

  it('keeps what each key wrote apart, and takes a key as bearer too', async () => {
    const { fake, client, clientOf } = await provider()
    await client.messages.create(document(2000))
    const other = await clientOf('two').messages.create(document(2000))
    expect(other.usage.cache_read_input_tokens).toBe(0)
    const bearer = new Anthropic({ apiKey: null, authToken: 'one', baseURL: fake.url })
    const same = await bearer.messages.create(document(2000))
    expect(same.usage.cache_read_input_tokens).toBe(2000)
  })

  it('lets parallel cold calls all pay for their write', async () => {
    const { client, clock, fake } = await provider({ ttft: '1s' })
    const calls = Array.from({ length: 10 }, () => client.messages.create(document(2000)))
    await until(() => clock.pending === 10)
    const messages = await drive(clock, Promise.all(calls), 1000)
    expect(messages.map(({ usage }) => usage.cache_creation_input_tokens)).toEqual(
      Array(10).fill(2000),
    )
    expect(fake.log.map(({ at, firstByteAt }) => [at, firstByteAt])).toEqual(
      Array(10).fill([0, 1000]),
    )
  })

  it('leaves one minute after a stream of four', async () => {
    const { client, clock } = await provider({ chunks: 4, chunkDelay: '1m' })
    await drive(clock, client.messages.stream(document(2000)).finalMessage(), 60_000)
    expect(clock.now()).toBe(240_000)
    await clock.advance('59s')
    const within = await client.messages.create({ ...document(2000), max_tokens: 0 })
    expect(within.usage.cache_read_input_tokens).toBe(2000)

    const late = await provider({ chunks: 4, chunkDelay: '1m' })
    await drive(late.clock, late.client.messages.stream(document(2000)).finalMessage(), 60_000)
    await late.clock.advance('60s')
    const { usage } = await late.client.messages.create({ ...document(2000), max_tokens: 0 })
    expect(usage.cache_read_input_tokens).toBe(0)
  })

  it('counts tokens without a call being made', async () => {
    const { client, fake } = await provider()
    const { max_tokens: _, ...params } = document(2000)
    expect(await client.messages.countTokens(params)).toEqual({ input_tokens: 2002 })
    expect(fake.calls).toBe(0)
  })

  it('takes minimums from the table of models, unless told otherwise', async () => {
    const { client } = await provider()
    const written = async (model: string, tokens: number) => {
      const { usage } = await client.messages.create({ ...document(tokens), model })
      return usage.cache_creation_input_tokens
    }
    expect(await written('claude-sonnet-5', 1023)).toBe(0)
    expect(await written('claude-sonnet-5', 1024)).toBe(1024)
    expect(await written('claude-opus-5-5', 512)).toBe(512)
    expect(await written('claude-haiku-4-5-20251001', 4095)).toBe(0)
    const other = await provider({ profile: { minTokens: 10 } })
    const { usage } = await other.client.messages.create(document(10))
    expect(usage.cache_creation_input_tokens).toBe(10)
  })
})

describe('a scripted answer', () => {
  const tool = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln 😀' } }

  it('can be text, blocks, a refusal, or come from another model', async () => {
    const script = [
      'Short.',
      { content: [tool] },
      { text: '', stop_reason: 'refusal', stop_details: { type: 'refusal', category: 'cyber' } },
      { text: '{"ok":true}', model: 'claude-sonnet-5-20260901', outputTokens: 77 },
      undefined,
    ]
    const { client } = await provider({ reply: (_, { call }) => script[call - 1] })
    expect(await client.messages.create(hello)).toMatchObject({
      content: [{ type: 'text', text: 'Short.' }],
      usage: { output_tokens: 2 },
    })
    expect(await client.messages.create(hello)).toMatchObject({
      content: [tool],
      stop_reason: 'tool_use',
    })
    expect(await client.messages.create(hello)).toMatchObject({
      stop_reason: 'refusal',
      stop_details: { category: 'cyber' },
    })
    expect(await client.messages.create(hello)).toMatchObject({
      model: 'claude-sonnet-5-20260901',
      usage: { output_tokens: 77 },
    })
    expect((await client.messages.create(hello)).stop_reason).toBe('end_turn')
  })

  it('streams to the same message as it is given whole', async () => {
    const thinking = { type: 'thinking', thinking: 'Let me see, 1 + 1', signature: 'sig' }
    const content = [thinking, { type: 'text', text: 'Grüße 😀😀😀' }, tool]
    const { client } = await provider({ chunks: 3, reply: () => ({ content }) })
    const whole = await client.messages.create(hello)
    const stream = client.messages.stream(hello)
    const streamed = await stream.finalMessage()
    expect(streamed.content).toEqual(whole.content)
    expect(streamed).toMatchObject({ ...whole, id: streamed.id, content: streamed.content })
    expect(whole.usage.output_tokens_details).toEqual({ thinking_tokens: 5 })
  })

  it('that throws is an error of the provider', async () => {
    const { client, fake } = await provider({
      reply: () => {
        throw new Error('no script')
      },
    })
    await expect(client.messages.create(hello)).rejects.toMatchObject({
      status: 500,
      type: 'api_error',
      apiMessage: expect.stringContaining('no script'),
    })
    expect(fake.log[0]).toMatchObject({ status: 500, end: 'complete' })
  })
})

describe('a stream of fakeAnthropic', () => {
  it('sends the events of the Messages API in their order', async () => {
    const { fake } = await provider({ chunks: 2, reply: () => 'abcd' })
    const response = await fetch(`${fake.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'one' },
      body: JSON.stringify({ ...document(2000), stream: true }),
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const events = (await response.text())
      .trim()
      .split('\n\n')
      .map((event) => {
        const [name, data] = event.split('\n') as [string, string]
        const parsed = JSON.parse(data.replace('data: ', ''))
        expect(name).toBe(`event: ${parsed.type}`)
        return parsed
      })
    expect(events.map(({ type }) => type)).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events[0].message).toMatchObject({
      content: [],
      stop_reason: null,
      usage: { input_tokens: 2, cache_creation_input_tokens: 2000, output_tokens: 1 },
    })
    expect(events[6]).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { input_tokens: 2, cache_creation_input_tokens: 2000, output_tokens: 1 },
    })
  })

  it('arrives piece by piece', async () => {
    const { client, clock } = await provider({ chunks: 4, chunkDelay: 100, reply: () => 'abcd' })
    const pieces: [number, string][] = []
    const stream = client.messages.stream(hello)
    stream.on('text', (piece) => pieces.push([clock.now(), piece]))
    const advance = async (count: number) => {
      await until(() => clock.pending > 0)
      await clock.advance(100)
      await until(() => pieces.length === count)
    }
    for (const count of [1, 2, 3, 4]) await advance(count)
    await stream.done()
    expect(pieces).toEqual([
      [100, 'a'],
      [200, 'b'],
      [300, 'c'],
      [400, 'd'],
    ])
  })

  it('that is aborted after its first byte has written; before it, nothing', async () => {
    const { client, clock, fake } = await provider({ ttft: '1s', chunkDelay: '1s' })
    const early = client.messages.stream(document(2000))
    await until(() => clock.pending === 1)
    early.abort()
    await expect(early.done()).rejects.toThrow(Anthropic.APIUserAbortError)
    await until(() => fake.log[0]?.end !== undefined)
    expect(fake.log[0]).toMatchObject({ end: 'aborted', stream: true })
    expect(fake.log[0]?.usage).toBeUndefined()
    expect(clock.pending).toBe(0)

    const late = client.messages.stream(document(2000))
    const begun = late.emitted('connect')
    await until(() => clock.pending === 1)
    await clock.advance('1s')
    await begun
    await until(() => clock.pending === 1)
    late.abort()
    await expect(late.done()).rejects.toThrow(Anthropic.APIUserAbortError)
    await until(() => fake.log[1]?.end !== undefined)
    expect(fake.log[1]).toMatchObject({ end: 'aborted', status: 200, firstByteAt: 1000 })
    expect(fake.log[1]?.usage?.cache_creation_input_tokens).toBe(2000)
    expect(clock.pending).toBe(0)

    const { usage } = await drive(clock, client.messages.create(document(2000)), 1000)
    expect(usage.cache_read_input_tokens).toBe(2000)
  })
})

describe('the log of fakeAnthropic', () => {
  it('has one entry per call with what it cost', async () => {
    const { client, clock, fake } = await provider()
    await client.messages.create(document(2000))
    await clock.advance('1m')
    await client.messages.stream(document(2000)).finalMessage()
    await until(() => fake.log[1]?.end !== undefined)
    expect(fake.calls).toBe(2)
    expect(fake.log).toMatchObject([
      { call: 1, workspace: 'one', at: 0, status: 200, stream: false, end: 'complete' },
      { call: 2, workspace: 'one', at: 60_000, status: 200, stream: true, end: 'complete' },
    ])
    expect(fake.log.map(({ usage }) => usage?.cache_read_input_tokens)).toEqual([0, 2000])
    expect(fake.log[0]?.request).toEqual(document(2000))
  })
})
