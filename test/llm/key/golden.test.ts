import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createLlmKeyer } from '../../../src/llm/key/llm-keyer.ts'
import { EPHEMERAL, keyOf, type Options } from './requests.ts'

// Keys live in Redis longer than a version of this library. Where one of these fails, what was stored is
// lost to the new version: raise KEY_VERSION, and write the new digests here.

const request = {
  model: 'claude-sonnet-5',
  max_tokens: 1e3,
  stream: true,
  temperature: 0.1,
  system: 'Be brief.',
  tools: [{ name: 'find', input_schema: { type: 'object', properties: { cache_control: null } } }],
  messages: [
    {
      role: 'user',
      content: [
        {
          type: 'image',
          source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' },
        },
        { type: 'text', text: 'é \ud83d\ude00 \ud800 "\n', cache_control: EPHEMERAL },
      ],
    },
  ],
}

const png = createHash('sha256').update(Buffer.from('iVBORw0KGgo=', 'base64')).digest('base64url')
const body = `{"max_tokens":1000,"messages":[{"content":[{"source":{"data":#${png},"media_type":"image/png","type":"base64"},"type":"image"},{"text":"é \ud83d\ude00 \\ud800 \\"\\n","type":"text"}],"role":"user"}],"model":"claude-sonnet-5","system":[{"text":"Be brief.","type":"text"}],"temperature":0.1,"tools":[{"input_schema":{"properties":{"cache_control":null},"type":"object"},"name":"find"}]}`

const prefixed = (text: string) => `${text.length}:${text}`

describe('the format of keys', () => {
  it('is a hash of length-prefixed parts, written out here by hand', () => {
    const parts = [
      '"resilient-cache/llm"',
      '1',
      '"anthropic"',
      '"https://eu"',
      '"tenant"',
      '"acme"',
      '"chat"',
      '"7"',
      '0',
      '["anthropic-version","2023-06-01"]',
      '"more"',
      body,
    ]
    const stream = parts.map(prefixed).join('')
    const tenant = ['"resilient-cache/llm/tenant"', '"tenant"', '"acme"'].map(prefixed).join('')
    const options: Options = {
      provider: 'anthropic',
      tenant: 'acme',
      endpoint: 'https://eu',
      namespace: 'chat',
      version: 7,
      headers: { 'Anthropic-Version': '2023-06-01', 'user-agent': 'x' },
    }
    const sha = (text: string) => createHash('sha256').update(text).digest('base64url')
    expect(createLlmKeyer(options)(request, 'more').key).toBe(
      `llm:1:${sha(tenant).slice(0, 12)}:claude-sonnet-5:${sha(stream)}`,
    )
    const hmac = (text: string) => createHmac('sha256', 's').update(text).digest('base64url')
    expect(createLlmKeyer({ ...options, secret: 's' })(request, 'more').key).toBe(
      `llm:1:${hmac(tenant).slice(0, 12)}:claude-sonnet-5:${hmac(stream)}`,
    )
  })

  it.each<[string, Partial<Options>, unknown, string]>([
    [
      'a request',
      {},
      request,
      'llm:1:6AaVyykTIB3S:claude-sonnet-5:w0ga0iRpQktXiah3fHAz6FEdaRcZPOiXvak2e4OlPAM',
    ],
    [
      'the shared tenant',
      { tenant: { shared: true } },
      request,
      'llm:1:COhZ0jXPjmjv:claude-sonnet-5:bgpT1gfx0JhY3KG0m1kKYvT69f8xKC4v-CC_ZKNVdTM',
    ],
    [
      'a secret',
      { secret: 'pepper' },
      request,
      'llm:1:ywnr6t8IrVBY:claude-sonnet-5:lsxRAO-bjw0xXYljauLZMvqaT7PTr-oLjjmZcCOVVxY',
    ],
    [
      'an unknown provider',
      { provider: 'mistral' },
      request,
      'llm:1:6AaVyykTIB3S:claude-sonnet-5:mKjCwk55jCbI2yd__rDETnajN8R3Xymy5CTgiLt8AI4',
    ],
    [
      'Chat Completions',
      { provider: 'openai' },
      { model: 'gpt-6', messages: [{ role: 'user', content: 'x' }] },
      'llm:1:6AaVyykTIB3S:gpt-6:3I-3Ue1XppSeCAD8o7V30PGQIKjXio7LpoINulSOztA',
    ],
    [
      'Gemini',
      { provider: 'gemini' },
      { model: 'gemini-3-pro', contents: [{ parts: [{ inlineData: { data: 'QQ==' } }] }] },
      'llm:1:6AaVyykTIB3S:gemini-3-pro:GBGV7kQ3lrjVVZ5iVJ3gs-ymbOVIrV9-Av7XQcwHrzA',
    ],
    [
      'Bedrock',
      { provider: 'bedrock' },
      { modelId: 'a.b:0', messages: [{ content: [{ text: 'x' }, { cachePoint: {} }] }] },
      'llm:1:6AaVyykTIB3S:a.b~3a0:YzdXDb5XYzsPtjnMN5ET9l5sjGXdmofnJsXC-p0ruzI',
    ],
    ['nothing', {}, {}, 'llm:1:6AaVyykTIB3S:~~:8Prr0ouf5LdREfJg17SR836l6pWOErtnG65o0mVfbok'],
  ])('gives %s the key it always had', (_what, options, given, key) => {
    expect(keyOf(given, options)).toBe(key)
  })
})
