import { describe, expect, it } from 'vitest'
import { ask, bypassOf, type Options } from './requests.ts'

type Case = [reason: string, provider: string, request: object]

const gpt = (more: object) => ({ model: 'gpt-6', input: 'x', ...more })
const image = { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } }

const bypassed: Case[] = [
  ['store', 'openai', gpt({ store: true })],
  ['store', 'gemini', { store: true }],
  ['previous-response', 'openai', gpt({ previous_response_id: 'r' })],
  ['previous-response', 'openai', gpt({ input: [{ type: 'item_reference', id: 'i' }] })],
  ['previous-response', 'openai', gpt({ input: [{ id: 'i' }] })],
  ['previous-response', 'gemini', { previous_interaction_id: 'i' }],
  ['conversation', 'openai', gpt({ conversation: 'c' })],
  ['conversation', 'anthropic', ask('x', { thread: { type: 'create' } })],
  ['container', 'anthropic', ask('x', { container: 'c' })],
  ['background', 'openai', gpt({ background: true })],
  ['background', 'gemini', { background: true }],
  ['stored-prompt', 'openai', gpt({ prompt: { id: 'p' } })],
  ['stored-prompt', 'bedrock', { modelId: 'arn:aws:bedrock:eu-west-1:1:prompt/P' }],
  [
    'url-source',
    'openai',
    gpt({
      prompt: { id: 'p', version: '1', variables: { a: 'x', b: { image_url: 'https://x' } } },
    }),
  ],
  [
    'url-source',
    'openai',
    gpt({
      prompt: { id: 'p', version: '1', variables: { b: { file_url: 'https://x.test/a.pdf' } } },
    }),
  ],
  ['audio', 'openai', { messages: [], modalities: ['text', 'audio'] }],
  ['audio', 'openai', { messages: [], audio: { voice: 'v' } }],
  ['audio', 'gemini', { generationConfig: { responseModalities: ['AUDIO'] } }],
  ['audio', 'gemini', { config: { responseModalities: ['AUDIO'] } }],
  ['server-tool', 'anthropic', ask('x', { mcp_servers: [{ url: 'https://x.test' }] })],
  [
    'server-tool',
    'anthropic',
    ask([{ type: 'tool_addition', tool: { definition: { type: 'web_search_20260318' } } }]),
  ],
  ['server-tool', 'openai', { messages: [], web_search_options: {} }],
  ['server-tool', 'openai', { messages: [], model: 'gpt-5-search-api' }],
  [
    'server-tool',
    'openai',
    gpt({ input: [{ type: 'additional_tools', role: 'developer', tools: [{ type: 'mcp' }] }] }),
  ],
  ['server-tool', 'gemini', { agent: 'deep-research' }],
  [
    'server-tool',
    'bedrock',
    { toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }] } },
  ],
  ...[
    'web_search_20260318',
    'web_fetch_20250910',
    'code_execution_20260521',
    'mcp_toolset',
    'brand_new_20270101',
  ].map((type): Case => ['server-tool', 'anthropic', ask('x', { tools: [{ type, name: 't' }] })]),
  ...[
    'web_search',
    'web_search_preview_2025_03_11',
    'file_search',
    'code_interpreter',
    'mcp',
    'shell',
    'programmatic_tool_calling',
    'brand_new',
  ].map((type): Case => ['server-tool', 'openai', gpt({ tools: [{ type }] })]),
  ...['googleSearch', 'codeExecution', 'urlContext', 'google_search', 'fileSearch', 'brandNew'].map(
    (name): Case => ['server-tool', 'gemini', { config: { tools: [{ [name]: {} }] } }],
  ),
  ['server-tool', 'gemini', { tools: [{ type: 'google_search' }] }],
  ['url-source', 'anthropic', ask([image])],
  ['url-source', 'anthropic', ask([{ type: 'tool_result', content: [image] }])],
  [
    'url-source',
    'openai',
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test' } }] },
      ],
    },
  ],
  [
    'url-source',
    'openai',
    gpt({
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x.test' }] }],
    }),
  ],
  [
    'url-source',
    'openai',
    gpt({
      input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://x.test' }] }],
    }),
  ],
  [
    'url-source',
    'openai',
    gpt({ input: [{ type: 'computer_call_output', output: { image_url: 'https://x.test' } }] }),
  ],
  [
    'url-source',
    'openai',
    gpt({
      tools: [{ type: 'image_generation', input_image_mask: { image_url: 'https://x.test' } }],
    }),
  ],
  ['url-source', 'gemini', { contents: { parts: [{ fileData: { fileUri: 'gs://bucket/a' } }] } }],
  [
    'url-source',
    'bedrock',
    { messages: [{ content: [{ document: { source: { s3Location: { uri: 's3://b/a' } } } }] }] },
  ],
]

const cached: [string, string, object][] = [
  ['a plain request', 'anthropic', ask('x')],
  ['nulls', 'anthropic', ask('x', { container: null, mcp_servers: [] })],
  [
    'tools of the caller',
    'anthropic',
    ask('x', {
      tools: [
        { name: 'a' },
        { type: 'custom' },
        { type: 'bash_20250124' },
        { type: 'text_editor_20250728' },
        { type: 'memory_20250818' },
        { type: 'computer_toolset_20260801' },
        { type: 'tool_search_tool_bm25_20251119' },
      ],
    }),
  ],
  ['files by id', 'anthropic', ask([{ type: 'image', source: { type: 'file', file_id: 'f' } }])],
  [
    'a URL as input of a tool',
    'anthropic',
    ask([{ type: 'tool_use', input: { url: 'https://x.test', source: image.source } }]),
  ],
  ['bytes', 'anthropic', ask([{ type: 'image', source: { type: 'base64', data: 'QQ==' } }])],
  ['store: false', 'openai', gpt({ store: false, background: false, previous_response_id: null })],
  [
    'functions',
    'openai',
    gpt({
      tools: [
        { type: 'function' },
        { type: 'custom' },
        { type: 'shell', environment: { type: 'local' } },
      ],
    }),
  ],
  [
    'a data URL',
    'openai',
    gpt({ input: [{ role: 'user', content: [{ image_url: 'data:image/png;base64,QQ==' }] }] }),
  ],
  ['a stored prompt of one version', 'openai', gpt({ prompt: { id: 'p', version: '2' } })],
  [
    'a stored prompt of Bedrock of one version',
    'bedrock',
    { modelId: 'arn:aws:bedrock:eu-west-1:1:prompt/P:3' },
  ],
  [
    'functions of Gemini',
    'gemini',
    { config: { tools: [{ functionDeclarations: [] }, { googleSearch: undefined }] } },
  ],
  [
    'files of Gemini',
    'gemini',
    {
      contents: [
        {
          parts: [
            { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } },
          ],
        },
      ],
    },
  ],
]

describe('what is not cached', () => {
  it.each(bypassed)('%s (%s) %j', (reason, provider, request) => {
    expect(bypassOf(request, { provider })).toBe(reason)
  })

  it.each(bypassed)('%s (%s, as an unknown provider) %j', (reason, _provider, request) => {
    // What it is called differs for some; that it is not cached must not.
    expect(bypassOf(request, { provider: 'other' }), reason).toBeDefined()
  })

  it.each(cached)('caches %s', (_what, provider, request) => {
    expect(bypassOf(request, { provider })).toBeUndefined()
  })

  it.each(cached.slice(0, 6))('caches %s, of an unknown provider', (_what, _provider, request) => {
    expect(bypassOf(request, { provider: 'other' })).toBeUndefined()
  })
})

describe('what the caller lets be cached', () => {
  const bypass = (request: object, options: Partial<Options>) =>
    bypassOf(request, { provider: 'openai', ...options })

  it('caches what depends on state, where it is told to', () => {
    expect(
      bypass(gpt({ store: true, tools: [{ type: 'mcp' }] }), { externalState: 'include' }),
    ).toBeUndefined()
  })

  it('keeps answers in sound out all the same, and contents of URLs', () => {
    const include = { externalState: 'include' } as const
    expect(bypass({ store: true, audio: {}, messages: [] }, include)).toBe('audio')
    expect(bypassOf(ask([image]), include)).toBe('url-source')
  })

  it('takes URLs for their contents, where it is told to', () => {
    expect(bypassOf(ask([image]), { urlSource: 'by-url' })).toBeUndefined()
  })

  it('names one reason where there are several', () => {
    expect(bypass(gpt({ store: true, conversation: 'c', tools: [{ type: 'mcp' }] }), {})).toBe(
      'store',
    )
  })
})
