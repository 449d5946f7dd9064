import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { FIVE_MINUTES, ONE_HOUR, textBlock } from './prompts.ts'
import { provider } from './provider.ts'

type Params = Record<string, unknown>

const hello: Params = {
  model: 'claude-sonnet-5',
  max_tokens: 10,
  messages: [{ role: 'user', content: 'Hello' }],
}

const user = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] })
const marked = (count: number, marker: object = FIVE_MINUTES) =>
  Array.from({ length: count }, (_, at) => textBlock(10, `${at}|`, marker))
const thinking = { type: 'thinking', thinking: 'hm', signature: 's', cache_control: FIVE_MINUTES }
const warmUp = (more: Params) => ({ max_tokens: 0, ...more })
const format = { type: 'json_schema', schema: { type: 'object' } }

const REFUSED: [string, Params, string][] = [
  [
    'a fifth marker',
    user(...marked(5)),
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  ],
  [
    'markers all over the request, five in all',
    {
      ...user(...marked(2)),
      system: marked(2),
      tools: [{ name: 't', input_schema: {}, cache_control: FIVE_MINUTES }],
    },
    'Found 5.',
  ],
  [
    'four markers and the automatic one',
    { ...user(...marked(4), textBlock(10)), cache_control: FIVE_MINUTES },
    'Found 5.',
  ],
  [
    'an hour after five minutes',
    user(textBlock(10, 'a', FIVE_MINUTES), textBlock(10, 'b', ONE_HOUR)),
    "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
  ],
  [
    'an hour in the messages after five minutes in the system',
    { system: marked(1), ...user(textBlock(10, 'b', ONE_HOUR)) },
    'messages.0.content.0.cache_control.ttl',
  ],
  [
    'an automatic hour after five minutes',
    { system: marked(1), cache_control: ONE_HOUR },
    "a ttl='1h'",
  ],
  [
    'an automatic marker of another lifetime on a marked block',
    { ...user(...marked(1)), cache_control: ONE_HOUR },
    "cache_control: ttl='1h' conflicts with ttl='5m' of messages.0.content.0",
  ],
  [
    'another lifetime the other way round',
    { ...user(...marked(1, ONE_HOUR)), cache_control: FIVE_MINUTES },
    'conflicts',
  ],
  [
    'a marked thought',
    {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [thinking] },
      ],
    },
    'messages.1.content.0.thinking.cache_control: Extra inputs are not permitted',
  ],
  [
    'a marked empty text',
    user({ type: 'text', text: '', cache_control: FIVE_MINUTES }),
    'messages.0.content.0: cache_control cannot be set for empty text blocks',
  ],
  [
    'a marked empty text in the system',
    { system: [{ type: 'text', text: '', cache_control: FIVE_MINUTES }] },
    'system.0',
  ],
  [
    'a lifetime that there is not',
    user(...marked(1, { type: 'ephemeral', ttl: '10m' })),
    "messages.0.content.0.cache_control.ttl: Input should be '5m' or '1h'",
  ],
  [
    'a kind of marker that there is not',
    { cache_control: { type: 'eternal' } },
    "cache_control.type: Input should be 'ephemeral'",
  ],
  [
    'a warm-up that streams',
    warmUp({ stream: true }),
    'max_tokens: 0 cannot be combined with `stream`',
  ],
  [
    'a warm-up that thinks',
    warmUp({ thinking: { type: 'enabled', budget_tokens: 1024 } }),
    'thinking.type',
  ],
  ['a warm-up with a format', warmUp({ output_config: { format } }), 'output_config.format'],
  [
    'a warm-up that must use any tool',
    warmUp({ tool_choice: { type: 'any' } }),
    'tool_choice.type: any',
  ],
  [
    'a warm-up that must use one tool',
    warmUp({ tool_choice: { type: 'tool', name: 't' } }),
    'tool_choice.type: tool',
  ],
  ['no messages', { messages: [] }, 'messages: at least one message is required'],
  ['messages left out', { messages: undefined }, 'messages: Field required'],
  ['a role that there is not', { messages: [{ role: 'bot', content: 'Hi' }] }, 'messages.0.role'],
  ['content that is none', { messages: [{ role: 'user' }] }, 'messages.0.content'],
  ['a block without a type', user({ text: 'Hi' }), 'messages.0.content.0.type'],
  ['no model', { model: undefined }, 'model: Field required'],
  ['no max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
  ['half a token', { max_tokens: 1.5 }, 'max_tokens'],
  ['less than nothing', { max_tokens: -1 }, 'max_tokens'],
]

const TAKEN: [string, Params][] = [
  ['four markers', user(...marked(4))],
  [
    'three markers and the automatic one',
    { ...user(...marked(3), textBlock(10)), cache_control: FIVE_MINUTES },
  ],
  [
    'an automatic marker where the last block has the same',
    { ...user(...marked(4)), cache_control: FIVE_MINUTES },
  ],
  ['an hour before five minutes', { system: marked(1, ONE_HOUR), ...user(...marked(1)) }],
  [
    'five minutes after an automatic walk back',
    { ...user(textBlock(10), { type: 'text', text: '' }), cache_control: ONE_HOUR },
  ],
  [
    'markers that are null',
    { cache_control: null, ...user({ ...textBlock(10), cache_control: null }) },
  ],
  [
    'members called cache_control within schemas',
    {
      tools: Array.from({ length: 6 }, (_, at) => ({
        name: `t${at}`,
        input_schema: { type: 'object', properties: { cache_control: FIVE_MINUTES } },
      })),
    },
  ],
  [
    'a warm-up that may think',
    warmUp({ thinking: { type: 'adaptive' }, tool_choice: { type: 'auto' } }),
  ],
  ['a warm-up that need not stream', warmUp({ stream: false })],
]

const create = (client: Anthropic, more: Params) =>
  client.messages.create({ ...hello, ...more } as unknown as Anthropic.MessageCreateParams)

describe('a request that the provider refuses', () => {
  it.each(REFUSED)('%s', async (_, more, message) => {
    const { client, fake } = await provider()
    const refused = await create(client, more).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refused).toBeInstanceOf(Anthropic.BadRequestError)
    const error = refused as InstanceType<typeof Anthropic.BadRequestError>
    expect(error.type).toBe('invalid_request_error')
    expect(error.apiMessage).toContain(message)
    expect(error.error).toMatchObject({ type: 'error', request_id: error.requestID })
    expect(fake.log).toMatchObject([{ status: 400 }])
    expect(fake.log[0]?.usage).toBeUndefined()
  })

  it('without a key, or to a place that there is not', async () => {
    const { fake, client } = await provider()
    const post = (path: string, init: RequestInit = {}) =>
      fetch(fake.url + path, { method: 'POST', body: JSON.stringify(hello), ...init })
    const noKey = await post('/v1/messages')
    expect(noKey.status).toBe(401)
    expect(await noKey.json()).toMatchObject({ error: { type: 'authentication_error' } })
    const noJson = await post('/v1/messages', { body: '{', headers: { 'x-api-key': 'one' } })
    expect(noJson.status).toBe(400)
    const nothing = await post('/v1/messages', { body: 'null', headers: { 'x-api-key': 'one' } })
    expect(nothing.status).toBe(400)
    await expect(client.models.list()).rejects.toBeInstanceOf(Anthropic.NotFoundError)
    expect(fake.calls).toBe(3)
  })

  it('counting tokens follows the rules of markers, and needs no max_tokens', async () => {
    const { client } = await provider()
    const params = { model: 'claude-sonnet-5', ...user(...marked(5)) }
    await expect(client.messages.countTokens(params as never)).rejects.toMatchObject({
      status: 400,
    })
    const fine = { model: 'claude-sonnet-5', ...user(...marked(4)), cache_control: FIVE_MINUTES }
    expect(await client.messages.countTokens(fine as never)).toEqual({ input_tokens: 40 })
  })
})

describe('a request that the provider takes', () => {
  it.each(TAKEN)('%s', async (_, more) => {
    const { client } = await provider()
    await expect(create(client, more)).resolves.toMatchObject({ type: 'message' })
  })

  it('with as many markers as the model may have', async () => {
    const { client } = await provider({ profile: { maxBreakpoints: 2 } })
    await expect(create(client, user(...marked(2)))).resolves.toBeDefined()
    await expect(create(client, user(...marked(3)))).rejects.toMatchObject({ status: 400 })
  })
})
