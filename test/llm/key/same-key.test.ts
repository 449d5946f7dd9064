import { describe, expect, it } from 'vitest'
import { ask, EPHEMERAL, keyOf, type Options } from './requests.ts'

type Case = [what: string, a: unknown, b: unknown, options?: Partial<Options>]

/** `[, item]`, which the linter takes for a slip. */
function withHole(item: unknown): unknown[] {
  const list = new Array(2)
  list[1] = item
  return list
}

const PDF = Buffer.from('%PDF-1.7').toString('base64')
const text = (value: string, more: object = {}) => ({ type: 'text', text: value, ...more })
const openai = { provider: 'openai' }
const gemini = { provider: 'gemini' }
const bedrock = { provider: 'bedrock' }
const chat = (more: object) => ({
  model: 'gpt-6',
  messages: [{ role: 'user', content: 'x' }],
  ...more,
})
const respond = (more: object) => ({ model: 'gpt-6', input: 'x', ...more })
const generate = (more: object) => ({ model: 'gemini-3-pro', contents: 'x', ...more })
const converse = (content: unknown[], more: object = {}) => ({
  modelId: 'anthropic.claude-sonnet-5-v1:0',
  messages: [{ role: 'user', content }],
  ...more,
})

const same: Case[] = [
  [
    'members in another order',
    { model: 'm', a: 1, b: { c: 1, d: 2 } },
    { b: { d: 2, c: 1 }, a: 1, model: 'm' },
  ],
  ['streamed and not', ask('x', { stream: true }), ask('x')],
  [
    'metadata, service tier and diagnostics',
    ask('x', {
      metadata: { user_id: 'u' },
      service_tier: 'auto',
      diagnostics: { previous_message_id: null },
    }),
    ask('x'),
  ],
  [
    'how to send it',
    ask('x', { signal: new AbortController().signal, timeout: 5, maxRetries: 1 }),
    ask('x'),
  ],
  ['automatic caching', ask('x', { cache_control: EPHEMERAL }), ask('x')],
  [
    'a marked block',
    ask([text('x', { cache_control: { type: 'ephemeral', ttl: '1h' } })]),
    ask([text('x')]),
  ],
  [
    'a marked system block',
    ask('x', { system: [text('s', { cache_control: EPHEMERAL })] }),
    ask('x', { system: [text('s')] }),
  ],
  [
    'a marked tool',
    ask('x', { tools: [{ name: 't', cache_control: EPHEMERAL }] }),
    ask('x', { tools: [{ name: 't' }] }),
  ],
  [
    'a marked block in a result of a tool',
    ask([
      { type: 'tool_result', tool_use_id: '1', content: [text('r', { cache_control: EPHEMERAL })] },
    ]),
    ask([{ type: 'tool_result', tool_use_id: '1', content: 'r' }]),
  ],
  [
    'a marked block in a document',
    ask([
      {
        type: 'document',
        source: { type: 'content', content: [text('r', { cache_control: null })] },
      },
    ]),
    ask([{ type: 'document', source: { type: 'content', content: [text('r')] } }]),
  ],
  [
    'a marked tool that a message brings in',
    ask([
      {
        type: 'tool_addition',
        tool: { type: 'tool_definition', definition: { name: 't', cache_control: EPHEMERAL } },
      },
    ]),
    ask([{ type: 'tool_addition', tool: { type: 'tool_definition', definition: { name: 't' } } }]),
  ],
  ['text and one text block', ask('x'), ask([text('x')])],
  ['system as text and as a block', ask('x', { system: 's' }), ask('x', { system: [text('s')] })],
  ['null and absent', ask('x', { thinking: null, top_k: null }), ask('x')],
  [
    'null and absent inside of settings',
    ask('x', { output_config: { effort: null } }),
    ask('x', { output_config: {} }),
  ],
  [
    'undefined and absent',
    ask([text('x', { citations: undefined })], { top_k: undefined }),
    ask('x'),
  ],
  [
    'undefined and absent in a schema',
    ask('x', { tools: [{ name: 't', input_schema: { a: undefined } }] }),
    ask('x', { tools: [{ name: 't', input_schema: {} }] }),
  ],
  ['a hole and undefined in an array', { a: withHole(1) }, { a: [undefined, 1] }],
  ['a hole and null in an array', { a: withHole(1) }, { a: [null, 1] }],
  ['0 and -0', ask('x', { temperature: 0 }), ask('x', { temperature: -0 })],
  ['1 and 1.0, 1e3 and 1000', { a: 1, b: 1e3 }, { a: 1.0, b: 1000 }],
  ['a plain object and one without a prototype', { a: {} }, { a: Object.create(null) }],
  [
    'Buffer and Uint8Array',
    converse([{ image: { format: 'png', source: { bytes: Buffer.from([1]) } } }]),
    converse([{ image: { format: 'png', source: { bytes: Uint8Array.of(1) } } }]),
    bedrock,
  ],
  [
    'bytes and their base64',
    converse([{ image: { source: { bytes: Buffer.from('abc') } } }]),
    converse([{ image: { source: { bytes: 'YWJj' } } }]),
    bedrock,
  ],
  [
    'cache points',
    converse([{ text: 'x' }, { cachePoint: { type: 'default' } }], {
      system: [{ text: 's' }, { cachePoint: { type: 'default' } }],
    }),
    converse([{ text: 'x' }], { system: [{ text: 's' }], requestMetadata: { a: 'b' } }),
    bedrock,
  ],
  [
    'cache points among tools',
    converse([], { toolConfig: { tools: [{ toolSpec: {} }, { cachePoint: {} }] } }),
    converse([], { toolConfig: { tools: [{ toolSpec: {} }] } }),
    bedrock,
  ],
  [
    'what OpenAI does not answer by',
    chat({
      stream: true,
      stream_options: {},
      metadata: {},
      user: 'u',
      safety_identifier: 's',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      prompt_cache_options: { mode: 'explicit' },
    }),
    chat({}),
    openai,
  ],
  [
    'breakpoints in Chat',
    chat({
      messages: [
        { role: 'user', content: [text('x', { prompt_cache_breakpoint: { mode: 'explicit' } })] },
      ],
    }),
    chat({}),
    openai,
  ],
  [
    'breakpoints in Responses',
    respond({
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'x', prompt_cache_breakpoint: {} }] },
      ],
    }),
    respond({ input: [{ role: 'user', content: [{ type: 'input_text', text: 'x' }] }] }),
    openai,
  ],
  [
    'null and absent in a function',
    chat({ tools: [{ type: 'function', function: { name: 'f', strict: null } }] }),
    chat({ tools: [{ type: 'function', function: { name: 'f' } }] }),
    openai,
  ],
  [
    'labels of Gemini',
    generate({ config: { labels: { a: 'b' }, abortSignal: new AbortController().signal } }),
    generate({ config: {} }),
    gemini,
  ],
  [
    'tools in another order, where it does not matter',
    ask('x', { tools: [{ name: 'a' }, { name: 'b', cache_control: EPHEMERAL }] }),
    ask('x', { tools: [{ name: 'b' }, { name: 'a' }] }),
    { toolOrder: 'sort' },
  ],
  [
    'functions of Gemini in another order, where it does not matter',
    generate({ config: { tools: [{ functionDeclarations: [{ name: 'a' }, { name: 'b' }] }] } }),
    generate({ config: { tools: [{ functionDeclarations: [{ name: 'b' }, { name: 'a' }] }] } }),
    { ...gemini, toolOrder: 'sort' },
  ],
  [
    'an ignored member',
    ask('x', { trace: { id: 1, kept: 1 } }),
    ask('x', { trace: { id: 2, kept: 1 } }),
    { ignore: ['/trace/id'] },
  ],
  [
    'an ignored member in an array',
    ask([text('x', { id: 1 })]),
    ask([text('x', { id: 2 })]),
    { ignore: ['/messages/0/content/0/id'] },
  ],
  ['an ignored item', { a: [1, 2] }, { a: [3, 2] }, { ignore: ['/a/0'] }],
  [
    'an ignored member with odd characters',
    { 'a/b~c': 1 },
    { 'a/b~c': 2 },
    { ignore: ['/a~1b~0c'] },
  ],
  ['an ignored member that JSON cannot say', { a: 1n }, { a: () => 1 }, { ignore: ['/a'] }],
]

const different: Case[] = [
  ['models', ask('x', { model: 'a' }), ask('x', { model: 'b' })],
  ['limits', ask('x', { max_tokens: 1 }), ask('x', { max_tokens: 2 })],
  ['a member nobody knows', ask('x', { brand_new: true }), ask('x')],
  ['an unknown member of a block', ask([text('x', { brand_new: true })]), ask([text('x')])],
  [
    'null and absent in an unknown object',
    ask('x', { brand_new: { a: null } }),
    ask('x', { brand_new: {} }),
  ],
  ['geography', ask('x', { inference_geo: 'us' }), ask('x')],
  ['sampling', ask('x', { temperature: 0.1 }), ask('x', { temperature: 0.2 })],
  ['thinking', ask('x', { thinking: { type: 'adaptive' } }), ask('x')],
  ['speed', ask('x', { speed: 'fast' }), ask('x')],
  ['betas', ask('x', { betas: ['a'] }), ask('x', { betas: ['b'] })],
  [
    'cache_control as a property of a schema',
    ask('x', { tools: [{ name: 't', input_schema: { properties: { cache_control: {} } } }] }),
    ask('x', { tools: [{ name: 't', input_schema: { properties: {} } }] }),
  ],
  [
    'cache_control in an example of an input',
    ask('x', { tools: [{ name: 't', input_examples: [{ cache_control: 1 }] }] }),
    ask('x', { tools: [{ name: 't', input_examples: [{}] }] }),
  ],
  [
    'cache_control as input of a tool',
    ask([{ type: 'tool_use', id: '1', name: 't', input: { cache_control: EPHEMERAL } }]),
    ask([{ type: 'tool_use', id: '1', name: 't', input: {} }]),
  ],
  [
    'cache_control in a wanted format',
    ask('x', { output_config: { format: { type: 'json_schema', schema: { cache_control: 1 } } } }),
    ask('x', { output_config: { format: { type: 'json_schema', schema: {} } } }),
  ],
  [
    'stream as input of a tool',
    ask([{ type: 'tool_use', input: { stream: 1, metadata: 1 } }]),
    ask([{ type: 'tool_use', input: {} }]),
  ],
  [
    'cache_control on a message',
    ask('x', { messages: [{ role: 'user', content: 'x', cache_control: EPHEMERAL }] }),
    ask('x'),
  ],
  [
    'null as the constant of a schema and no constant',
    ask('x', { tools: [{ name: 't', input_schema: { const: null } }] }),
    ask('x', { tools: [{ name: 't', input_schema: {} }] }),
  ],
  [
    'null as input of a tool and none',
    ask([{ type: 'tool_use', input: { a: null } }]),
    ask([{ type: 'tool_use', input: {} }]),
  ],
  [
    'two messages and one',
    ask('x', {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
      ],
    }),
    ask([text('a'), text('b')]),
  ],
  ['one text block and two', ask([text('a'), text('b')]), ask([text('ab')])],
  ['text in a text, and a block', ask('[{"text":"x","type":"text"}]'), ask('x')],
  ['a block with more than text', ask([text('x', { citations: [] })]), ask('x')],
  ['roles', ask('x'), ask('x', { messages: [{ role: 'assistant', content: 'x' }] })],
  ['blanks', ask('x '), ask('x')],
  ['line ends', ask('a\r\nb'), ask('a\nb')],
  ['forms of Unicode', ask('\u00e9'), ask('e\u0301')],
  ['two halves of surrogate pairs', ask('\ud800'), ask('\ud801')],
  ['half a surrogate pair and its replacement', ask('\ud800'), ask('\ufffd')],
  ['half a surrogate pair and its escape', ask('\ud800'), ask('\\ud800')],
  ['order in arrays', { a: [1, 2] }, { a: [2, 1] }],
  [
    'order of tools',
    ask('x', { tools: [{ name: 'a' }, { name: 'b' }] }),
    ask('x', { tools: [{ name: 'b' }, { name: 'a' }] }),
  ],
  [
    'the number of equal tools',
    ask('x', { tools: [{ name: 'a' }, { name: 'a' }] }),
    ask('x', { tools: [{ name: 'a' }] }),
    { toolOrder: 'sort' },
  ],
  ['a number and its text', { a: 1 }, { a: '1' }],
  ['true and its text', { a: true }, { a: 'true' }],
  ['null and its text', { a: [null] }, { a: ['null'] }],
  ['own __proto__ and none', JSON.parse('{"a":{"__proto__":1}}'), { a: {} }],
  ['a nested and a flat member', { a: { b: 1 } }, { 'a.b': 1 }],
  ['an object and an array', { a: { 0: 1 } }, { a: [1] }],
  [
    'documents',
    ask([
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF } },
    ]),
    ask([
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'QQ==' } },
    ]),
  ],
  [
    'media types',
    ask([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PDF } }]),
    ask([{ type: 'image', source: { type: 'base64', media_type: 'image/gif', data: PDF } }]),
  ],
  [
    'base64 and what a decoder takes for it',
    ask([{ type: 'image', source: { data: 'QQ==' } }]),
    ask([{ type: 'image', source: { data: 'QR==' } }]),
  ],
  [
    'base64 with and without a line end',
    ask([{ type: 'image', source: { data: 'QQ==' } }]),
    ask([{ type: 'image', source: { data: 'QQ==\n' } }]),
  ],
  [
    'bytes and the digest of the bytes as text',
    converse([{ image: { source: { bytes: 'QQ==' } } }]),
    converse([{ image: { source: { bytes: '#VZ_eJ0R-_ovl_gmmhJp1cL8JOqfcpfzdD_z2hbqOvO0' } } }]),
    bedrock,
  ],
  [
    'media types of data URLs',
    chat({
      messages: [
        { content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,QQ==' } }] },
      ],
    }),
    chat({
      messages: [
        { content: [{ type: 'image_url', image_url: { url: 'data:image/gif;base64,QQ==' } }] },
      ],
    }),
    openai,
  ],
  [
    'data URLs',
    respond({
      input: [
        {
          role: 'user',
          content: [{ type: 'input_image', image_url: 'data:image/png;base64,QQ==' }],
        },
      ],
    }),
    respond({
      input: [
        {
          role: 'user',
          content: [{ type: 'input_image', image_url: 'data:image/png;base64,Qg==' }],
        },
      ],
    }),
    openai,
  ],
  [
    'data URLs in plain text',
    respond({ input: [{ role: 'user', content: [{ image_url: 'data:,a' }] }] }),
    respond({ input: [{ role: 'user', content: [{ image_url: 'data:,b' }] }] }),
    openai,
  ],
  [
    'files',
    ask([{ type: 'image', source: { type: 'file', file_id: 'a' } }]),
    ask([{ type: 'image', source: { type: 'file', file_id: 'b' } }]),
  ],
  [
    'URLs',
    ask([{ type: 'image', source: { type: 'url', url: 'https://a.test' } }]),
    ask([{ type: 'image', source: { type: 'url', url: 'https://b.test' } }]),
    { urlSource: 'by-url' },
  ],
  [
    'text as input of Responses, which is not one text block',
    respond({ input: [{ role: 'user', content: 'x' }] }),
    respond({ input: [{ role: 'user', content: [text('x')] }] }),
    openai,
  ],
  [
    'arguments of functions',
    chat({ tools: [{ type: 'function', function: { name: 'f', parameters: { const: null } } }] }),
    chat({ tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] }),
    openai,
  ],
  [
    'a block with a cache point and none',
    converse([{ cachePoint: {}, text: 'x' }]),
    converse([]),
    bedrock,
  ],
  [
    'blobs of Gemini',
    generate({ contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: 'QQ==' } }] }] }),
    generate({ contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: 'Qg==' } }] }] }),
    gemini,
  ],
  [
    'arguments of functions of Gemini',
    generate({ contents: [{ parts: [{ functionCall: { args: { a: null } } }] }] }),
    generate({ contents: [{ parts: [{ functionCall: { args: {} } }] }] }),
    gemini,
  ],
  [
    'an array with an ignored item and a shorter one',
    { a: [1, 2] },
    { a: [2] },
    { ignore: ['/a/0'] },
  ],
  [
    'what is beside an ignored member',
    ask('x', { trace: { id: 1, kept: 1 } }),
    ask('x', { trace: { id: 1, kept: 2 } }),
    { ignore: ['/trace/id'] },
  ],
  [
    'metadata, for a provider nobody knows',
    ask('x', { metadata: { a: 1 } }),
    ask('x'),
    { provider: 'mistral' },
  ],
  [
    'streamed and not, for a provider nobody knows',
    ask('x', { stream: true }),
    ask('x'),
    { provider: 'mistral' },
  ],
  [
    'null and absent, for a provider nobody knows',
    ask('x', { top_k: null }),
    ask('x'),
    { provider: 'mistral' },
  ],
  [
    'text and a block, for a provider nobody knows',
    ask('x'),
    ask([text('x')]),
    { provider: 'mistral' },
  ],
  [
    'markers, for a provider nobody knows',
    ask([text('x', { cache_control: EPHEMERAL })]),
    ask([text('x')]),
    { provider: 'mistral' },
  ],
]

describe('requests that are the same have one key', () => {
  it.each(same)('%s', (_what, a, b, options) => {
    expect(keyOf(a, options)).toBe(keyOf(b, options))
  })
})

describe('requests that are not the same have two keys', () => {
  it.each(different)('%s', (_what, a, b, options) => {
    expect(keyOf(a, options)).not.toBe(keyOf(b, options))
  })
})
