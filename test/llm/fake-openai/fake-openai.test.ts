import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { normalizeUsage } from '../../../src/llm/usage/normalize-usage.ts'
import { judgeAnswer } from '../../../src/llm/verdict/judge-answer.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import {
  type FakeOpenAI,
  type FakeOpenAIOptions,
  fakeOpenAI,
} from '../../../src/testing/fake-openai/fake-openai.ts'

const open: FakeOpenAI[] = []
afterEach(async () => {
  for (const provider of open.splice(0)) await provider.close()
})

async function start(options: FakeOpenAIOptions = {}) {
  const provider = await fakeOpenAI(options)
  open.push(provider)
  const client = clientOf(provider, 'key')
  return { provider, client }
}

function clientOf(provider: FakeOpenAI, apiKey: string): OpenAI {
  return new OpenAI({ baseURL: provider.url, apiKey, maxRetries: 0 })
}

const LONG = 'word '.repeat(1200)
const chat = (own: string, model = 'gpt-5.6-sol') => ({
  model,
  messages: [
    {
      role: 'system' as const,
      content: [
        {
          type: 'text' as const,
          text: LONG,
          prompt_cache_breakpoint: { mode: 'explicit' as const },
        },
      ],
    },
    { role: 'user' as const, content: own },
  ],
})

describe('fakeOpenAI through the SDK', () => {
  it('answers Chat Completions and bills the prefix once', async () => {
    const { provider, client } = await start()
    const first = await client.chat.completions.create(chat('one.'))
    const second = await client.chat.completions.create(chat('two.'))
    expect(first.usage?.prompt_tokens_details).toEqual({
      cached_tokens: 0,
      cache_write_tokens: 1501,
    })
    expect(second.usage?.prompt_tokens_details).toEqual({
      cached_tokens: 1500,
      cache_write_tokens: 1,
    })
    expect(normalizeUsage('openai', second)).toMatchObject({
      inputTotal: 1501,
      inputUncached: 0,
      cacheRead: 1500,
      cacheWrite: { '30m': 1 },
    })
    expect(judgeAnswer('openai', second, { requestedModel: 'gpt-5.6-sol' })).toEqual({
      action: 'store',
    })
    expect(provider.calls).toBe(2)
    expect(provider.log[1]).toMatchObject({
      call: 2,
      endpoint: 'chat',
      status: 200,
      workspace: 'key',
    })
  })

  it('gives the same answer to the same prompt, and another to another', async () => {
    const { client } = await start()
    const said = async (own: string) =>
      (await client.chat.completions.create(chat(own))).choices[0]?.message.content
    expect(await said('one.')).toBe(await said('one.'))
    expect(await said('one.')).not.toBe(await said('two.'))
  })

  it('streams Chat Completions with usage at the end if asked', async () => {
    const { client } = await start()
    const whole = await client.chat.completions.create(chat('one.'))
    const stream = client.chat.completions.stream({
      ...chat('one.'),
      stream_options: { include_usage: true },
    })
    let pieces = 0
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) pieces++
    const final = await stream.finalChatCompletion()
    expect(pieces).toBe(5)
    expect(final.choices[0]?.message.content).toBe(whole.choices[0]?.message.content)
    expect(final.usage?.prompt_tokens_details?.cached_tokens).toBe(1501)
    const plain = await client.chat.completions.create({ ...chat('one.'), stream: true })
    for await (const chunk of plain) expect(chunk.usage).toBeUndefined()
  })

  it('answers and streams Responses alike', async () => {
    const { client } = await start()
    const request = {
      model: 'gpt-6-sol',
      instructions: LONG,
      input: 'one.',
      prompt_cache_options: { ttl: '12h' as const },
    }
    const whole = await client.responses.create(request)
    const usage = whole.usage?.input_tokens_details
    expect(usage).toMatchObject({ cached_tokens: 0, cache_write_tokens: 1501 })
    expect(normalizeUsage('openai', whole)?.cacheWrite).toEqual({ '12h': 1501 })
    const stream = client.responses.stream(request)
    let text = ''
    stream.on('response.output_text.delta', ({ delta }) => {
      text += delta
    })
    const final = await stream.finalResponse()
    expect(text).toBe(whole.output_text)
    expect(final.output_text).toBe(whole.output_text)
    expect(final.usage?.input_tokens_details.cached_tokens).toBe(1501)
    expect(judgeAnswer('openai', final)).toEqual({ action: 'store' })
  })

  it('says what it is told to: tools, refusals, other ends, other models', async () => {
    const { client } = await start({
      reply: (_request, { call }) =>
        [
          { toolCalls: [{ name: 'look_up', arguments: { id: 7 } }] },
          { refusal: 'No.' },
          { text: 'cut', finish_reason: 'length' as const },
          { text: 'other', model: 'gpt-5.6-luna' },
          'text',
        ][(call - 1) % 5],
    })
    const context = { requestedModel: 'gpt-5.6-sol' }
    const expected = ['tool-use', 'refusal', 'truncated', 'other-model', undefined]
    for (const reason of expected) {
      const answer = await client.chat.completions.create(chat('one.'))
      const verdict = judgeAnswer('openai', answer, context)
      expect(verdict.action === 'skip' ? verdict.reason : undefined).toBe(reason)
    }
    for (const reason of expected) {
      const stream = client.responses.stream({ model: 'gpt-5.6-sol', input: 'one.' })
      const verdict = judgeAnswer('openai', await stream.finalResponse(), context)
      expect(verdict.action === 'skip' ? verdict.reason : undefined).toBe(reason)
    }
    const stream = client.chat.completions.stream(chat('one.'))
    const calls = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls
    expect(calls?.[0]).toMatchObject({ function: { name: 'look_up', arguments: '{"id":7}' } })
  })

  it('cuts the answer by default at the most tokens asked for', async () => {
    const { client } = await start()
    const answer = await client.chat.completions.create({
      ...chat('one.'),
      max_completion_tokens: 3,
    })
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { content: 'This is answ' },
    })
    expect(answer.usage?.completion_tokens).toBe(3)
  })

  it('fills the cache without an answer where asked to', async () => {
    const { client } = await start()
    const request = { model: 'gpt-5.6-sol', input: LONG }
    const warm = await client.responses.create({
      ...request,
      prompt_cache_options: { prewarm: true },
    })
    expect(warm.output).toEqual([])
    expect(warm.usage?.output_tokens).toBe(0)
    expect(judgeAnswer('openai', warm)).toEqual({ action: 'skip', reason: 'empty' })
    const answer = await client.responses.create(request)
    expect(answer.usage?.input_tokens_details.cached_tokens).toBe(1500)
  })

  it('keeps keys and cache keys apart', async () => {
    const { provider, client } = await start()
    const readBy = async (who: OpenAI, prompt_cache_key?: string) => {
      const answer = await who.chat.completions.create({
        ...chat('one.'),
        ...(prompt_cache_key && { prompt_cache_key }),
      })
      return answer.usage?.prompt_tokens_details?.cached_tokens
    }
    expect(await readBy(client, 'a')).toBe(0)
    expect(await readBy(client, 'b')).toBe(0)
    expect(await readBy(clientOf(provider, 'other'), 'a')).toBe(0)
    expect(await readBy(client)).toBe(0)
    expect(await readBy(client, 'a')).toBe(1501)
  })

  it('lets lifetimes pass with the clock it is given', async () => {
    const clock = new FakeClock()
    const { client } = await start({ clock })
    const read = async () =>
      (await client.chat.completions.create(chat('one.'))).usage?.prompt_tokens_details
        ?.cached_tokens
    expect(await read()).toBe(0)
    await clock.advance('29m')
    expect(await read()).toBe(1501)
    await clock.advance('2m')
    expect(await read()).toBe(0)
  })
})

describe('fakeOpenAI refuses', () => {
  const marker = { prompt_cache_breakpoint: { mode: 'explicit' } }
  it.each([
    [
      'options of 5.6 for older models',
      'chat',
      { model: 'gpt-5.5', prompt_cache_options: {} },
      'prompt_cache_options',
    ],
    [
      'breakpoints for older models',
      'chat',
      {
        model: 'gpt-5.5',
        messages: [{ role: 'user', content: [{ type: 'text', text: 'a', ...marker }] }],
      },
      'prompt_cache_breakpoint',
    ],
    [
      '12 hours in Chat Completions',
      'chat',
      { prompt_cache_options: { ttl: '12h' } },
      'prompt_cache_options.ttl',
    ],
    [
      'an unknown lifetime',
      'responses',
      { prompt_cache_options: { ttl: '1h' } },
      'prompt_cache_options.ttl',
    ],
    [
      'prewarm in Chat Completions',
      'chat',
      { prompt_cache_options: { prewarm: true } },
      'prompt_cache_options.prewarm',
    ],
    [
      'comparisons in Chat Completions',
      'chat',
      { prompt_cache_options: { comparison_response_id: 'r' } },
      'prompt_cache_options.comparison_response_id',
    ],
    [
      'an unknown mode',
      'responses',
      { prompt_cache_options: { mode: 'eager' } },
      'prompt_cache_options.mode',
    ],
    [
      'a breakpoint of an unknown mode',
      'chat',
      {
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'a', prompt_cache_breakpoint: {} }] },
        ],
      },
      'prompt_cache_breakpoint.mode',
    ],
    [
      'memory only for 5.5',
      'chat',
      { model: 'gpt-5.5', prompt_cache_retention: 'in_memory' },
      'prompt_cache_retention',
    ],
    ['no messages', 'chat', { messages: [] }, 'messages'],
    ['no input', 'responses', { input: undefined }, 'input'],
    ['no model', 'chat', { model: undefined }, 'model'],
  ])('%s', async (_what, endpoint, members, param) => {
    const { provider, client } = await start()
    const call =
      endpoint === 'chat'
        ? client.chat.completions.create({
            ...chat('one.'),
            messages: [{ role: 'user', content: 'a' }],
            ...members,
          } as never)
        : client.responses.create({ model: 'gpt-5.6-sol', input: 'one.', ...members } as never)
    await expect(call).rejects.toMatchObject({ status: 400, param })
    expect(provider.log[0]).toMatchObject({ status: 400 })
    expect(provider.log[0]?.usage).toBeUndefined()
  })

  it('calls without a key, other paths and what is no JSON', async () => {
    const { provider } = await start()
    const post = (path: string, headers = {}, body = '{}') =>
      fetch(provider.url + path, { method: 'POST', headers, body })
    const bearer = { authorization: 'Bearer key' }
    expect((await post('/chat/completions')).status).toBe(401)
    expect((await post('/embeddings', bearer)).status).toBe(404)
    expect((await post('/responses', bearer, '{')).status).toBe(400)
    expect(provider.calls).toBe(2)
  })

  it.each([
    [{ ttfb: 5 }, "unknown option of fakeOpenAI(): 'ttfb'; did you mean 'ttft'?"],
    [
      { lookup: 'gide' },
      "lookup of fakeOpenAI() has no such choice: 'gide'; did you mean 'guide'?",
    ],
    [
      { faults: { slwo: 1 } },
      "unknown option of faults of fakeOpenAI(): 'slwo'; did you mean 'slow'?",
    ],
    [{ chunks: 0 }, 'chunks of fakeOpenAI() must be a whole number ≥ 1, got 0'],
  ])('options that are wrong: %j', async (options, message) => {
    await expect(fakeOpenAI(options as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message,
    })
  })
})

describe('fakeOpenAI fails', () => {
  it('overloaded and rate limited, for as many calls as asked', async () => {
    const { provider, client } = await start({ faults: { retryAfter: '2s' } })
    const call = () => client.chat.completions.create(chat('one.'))
    provider.fail('overloaded', { times: 1 })
    await expect(call()).rejects.toMatchObject({ status: 503 })
    provider.fail('rate-limited', { times: 1 })
    const limited = await call().catch((error: unknown) => error)
    expect(limited).toBeInstanceOf(OpenAI.RateLimitError)
    expect(
      (limited as InstanceType<typeof OpenAI.RateLimitError>).headers?.get('retry-after'),
    ).toBe('2')
    await expect(call()).resolves.toBeDefined()
    expect(provider.log.map(({ fault }) => fault)).toEqual([
      'overloaded',
      'rate-limited',
      undefined,
    ])
  })

  it.each(['chat', 'responses'])('in the middle of a stream of %s', async (endpoint) => {
    const { provider, client } = await start()
    const run = async () => {
      const stream: AsyncIterable<unknown> =
        endpoint === 'chat'
          ? await client.chat.completions.create({ ...chat('one.'), stream: true })
          : await client.responses.create({ model: 'gpt-5.6-sol', input: 'one.', stream: true })
      let items = 0
      try {
        for await (const _ of stream) items++
      } catch (error) {
        return { items, error }
      }
      return { items, error: undefined }
    }
    const whole = await run()
    expect(whole.error).toBeUndefined()
    for (const mode of ['cut-stream', 'error-in-stream'] as const) {
      provider.fail(mode)
      const { items, error } = await run()
      expect(error).toBeInstanceOf(Error)
      expect(items).toBeGreaterThan(0)
      expect(items).toBeLessThan(whole.items)
    }
    expect(provider.log.map(({ end }) => end)).toEqual(['complete', 'cut', 'complete'])
  })

  it('in an answer that is no stream', async () => {
    const { provider, client } = await start()
    const call = () => client.chat.completions.create(chat('one.'))
    provider.fail('error-in-stream', { times: 1 })
    await expect(call()).rejects.toMatchObject({ status: 500 })
    provider.fail('cut-stream', { times: 1 })
    await expect(call()).rejects.toThrow()
    provider.fail('none')
    await expect(call()).resolves.toBeDefined()
  })

  it('late, and the clock decides how late', async () => {
    const clock = new FakeClock()
    const { provider, client } = await start({ clock, ttft: '1s', faults: { slowBy: '10s' } })
    provider.fail('slow')
    let answered = false
    const call = client.chat.completions.create(chat('one.')).then(() => {
      answered = true
    })
    await until(() => clock.pending > 0)
    await clock.advance('10999ms')
    expect(answered).toBe(false)
    await clock.advance('1ms')
    await call
    expect(provider.log[0]).toMatchObject({ at: 0, firstByteAt: 11_000 })
  })

  it('never answering, until the client goes: nothing is written and no timer left', async () => {
    const clock = new FakeClock()
    const { provider, client } = await start({ clock, ttft: '1m' })
    for (const mode of ['hang', 'none'] as const) {
      provider.fail(mode)
      const controller = new AbortController()
      const call = client.chat.completions.create(chat('one.'), { signal: controller.signal })
      const at = provider.calls
      await until(() => provider.calls > at)
      controller.abort()
      await expect(call).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
      await until(() => provider.log[at]?.end === 'aborted')
    }
    await until(() => clock.pending === 0)
    const call = client.chat.completions.create(chat('one.'))
    await until(() => clock.pending > 0)
    await clock.advance('1m')
    expect((await call).usage?.prompt_tokens_details?.cached_tokens).toBe(0)
  })

  it('by rates that a seed makes repeatable', async () => {
    const faultsOf = async (seed: number) => {
      const { provider, client } = await start({ seed, faults: { overloaded: 0.5 } })
      for (let call = 0; call < 20; call++) {
        await client.responses.create({ model: 'gpt-5.6-sol', input: 'a' }).catch(() => {})
      }
      return provider.log.map(({ fault }) => fault ?? '-').join(' ')
    }
    const one = await faultsOf(1)
    expect(await faultsOf(1)).toBe(one)
    expect(await faultsOf(2)).not.toBe(one)
    expect(one).toContain('overloaded')
    expect(one).toContain('-')
  })
})

/** Lets the loopback connection do its work, however busy the machine is. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 4000
  while (!condition() && performance.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(condition()).toBe(true)
}
