import { describe, expect, it } from 'vitest'
import { createLlmKeyer } from '../../../src/llm/key/llm-keyer.ts'
import { ask, keyOf, type Options } from './requests.ts'

const request = ask('x')

/** Each list holds options that must not share a key, with each other or with those of another list. */
const apart: [string, Partial<Options>[], string?][] = [
  ['providers', [{ provider: 'openai' }, { provider: 'mistral' }]],
  ['endpoints', [{ endpoint: 'a' }, { endpoint: 'b' }]],
  ['tenants', [{ tenant: 'a' }, { tenant: 'b' }, { tenant: { shared: true } }]],
  [
    'a tenant that is called like the shared one',
    [{ tenant: 'shared' }, { tenant: { shared: true } }],
  ],
  [
    'tenants that differ in half a surrogate pair',
    [{ tenant: '\ud800' }, { tenant: '\ud801' }, { tenant: '\ufffd' }],
  ],
  ['namespaces', [{ namespace: 'a' }, { namespace: 'b' }]],
  ['versions', [{ version: 1 }, { version: 2 }]],
  ['secrets', [{ secret: 'a' }, { secret: 'b' }, {}]],
  [
    'versions of the API',
    [
      { headers: { 'anthropic-version': '2023-06-01' } },
      { headers: { 'anthropic-version': '2027-01-01' } },
      {},
    ],
  ],
  ['betas', [{ headers: { 'Anthropic-Beta': 'a' } }, { headers: { 'Anthropic-Beta': 'b' } }]],
  [
    'organisations',
    [
      { headers: { 'OpenAI-Organization': 'a' } },
      { headers: { 'OpenAI-Organization': 'b' } },
      { headers: { 'OpenAI-Project': 'a' } },
    ],
  ],
  ['variants', [0, 1, 2].map((n) => ({ variants: 3, random: () => (n + 0.5) / 3 }))],
  [
    'joins of endpoint and tenant',
    [
      { endpoint: 'ab', tenant: 'c' },
      { endpoint: 'a', tenant: 'bc' },
    ],
  ],
  [
    'joins of tenant and namespace',
    [
      { tenant: 'ab', namespace: 'c' },
      { tenant: 'a', namespace: 'bc' },
    ],
  ],
  [
    'joins of namespace and version',
    [
      { namespace: 'a1', version: '' },
      { namespace: 'a', version: 1 },
    ],
  ],
  [
    'joins of namespace and version with a length in them',
    [
      { namespace: 'a"3:"b', version: '' },
      { namespace: 'a', version: 'b' },
    ],
  ],
]

describe('options', () => {
  it.each(apart)('keeps %s apart', (_what, list) => {
    const keys = list.map((options) => keyOf(request, options))
    expect(new Set(keys).size).toBe(list.length)
  })

  it('keeps calls apart by what else they were given', () => {
    const keys = [undefined, 'a', 'b', 'ab'].map((extra) => keyOf(request, {}, extra))
    expect(new Set(keys).size).toBe(4)
    expect(keyOf({ a: 1 }, {}, '')).toBe(keyOf({ a: 1 }))
  })

  it('takes the case of header names for nothing, nor those that only say how to send', () => {
    const headers = {
      'ANTHROPIC-VERSION': '1',
      authorization: 'a',
      'x-stainless-lang': 'js',
      'x-api-key': 'k',
    }
    expect(keyOf(request, { headers })).toBe(
      keyOf(request, { headers: { 'anthropic-version': '1' } }),
    )
    expect(keyOf(request, { headers: { authorization: 'a' } })).toBe(keyOf(request))
  })

  it('takes headers in any order', () => {
    const one = { headers: { 'anthropic-version': '1', 'anthropic-beta': 'b' } }
    const other = { headers: { 'anthropic-beta': 'b', 'anthropic-version': '1' } }
    expect(keyOf(request, one)).toBe(keyOf(request, other))
  })

  it('takes a version for the same as its text, and an absent one for none', () => {
    expect(keyOf(request, { version: 1 })).toBe(keyOf(request, { version: '1' }))
    expect(keyOf(request, { version: '' })).toBe(keyOf(request))
  })

  it('takes a secret as text or as its bytes', () => {
    expect(keyOf(request, { secret: 'a' })).toBe(keyOf(request, { secret: Buffer.from('a') }))
  })

  it('chooses the same variant for the same seed, and all of them for many', () => {
    const keyFor = (variantSeed: string | number) => keyOf(request, { variants: 4, variantSeed })
    expect(keyFor('conversation-1')).toBe(keyFor('conversation-1'))
    const seeds = Array.from({ length: 100 }, (_, index) => keyFor(index))
    expect(new Set(seeds).size).toBe(4)
  })

  it('finds what was stored without variants as the first of several', () => {
    expect(keyOf(request, { variants: 3, random: () => 0 })).toBe(keyOf(request))
  })

  it('sees a request that was changed since', () => {
    const keyer = createLlmKeyer({ provider: 'anthropic', tenant: 'acme' })
    const content = [{ type: 'text', text: 'x' }]
    const changing = ask(content)
    const before = keyer(changing).key
    content[0] = { type: 'text', text: 'y' }
    expect(keyer(changing).key).toBe(keyOf(ask('y')))
    expect(keyer(changing).key).not.toBe(before)
  })
})

describe('form of keys', () => {
  const parts = /^llm:1:([\w-]{12}):([\w./@+~-]{1,64}):([\w-]{43})$/

  it.each([
    ['claude-sonnet-5', 'claude-sonnet-5'],
    ['anthropic/claude-3.5@20241022', 'anthropic/claude-3.5@20241022'],
    ['anthropic.claude-v2:0', 'anthropic.claude-v2~3a0'],
    ['a~3ab', 'a~7e3ab'],
    ['é\u2028\ud800', '~e9~u2028~ud800'],
    ['', '~~'],
    [undefined, '~~'],
    [{ not: 'text' }, '~~'],
  ])('writes model %j as %s', (model, expected) => {
    const { key, group, tags } = createLlmKeyer({ provider: 'x:y', tenant: 'acme' })({ model })
    const [, tenant, name] = parts.exec(key) ?? []
    expect(name).toBe(expected)
    expect(key.startsWith(`${group}:`)).toBe(true)
    expect(group).toBe(`llm:1:${tenant}:${expected}`)
    expect(tags).toEqual([`llm:x~3ay:${expected}`, `llm-tenant:${tenant}`])
  })

  it('shortens models of more than 64 characters, and tells them apart', () => {
    const keyer = createLlmKeyer({ provider: 'anthropic', tenant: 'acme' })
    const groups = ['a', 'b'].map((end) => {
      const { key, group } = keyer({ model: 'm'.repeat(500) + end })
      expect(key).toMatch(parts)
      return group
    })
    expect(groups[0]).not.toBe(groups[1])
    expect(keyer({ model: 'm'.repeat(64) }).group).toContain('m'.repeat(64))
  })

  it('takes the model of Bedrock from modelId', () => {
    const { tags } = createLlmKeyer({ provider: 'bedrock', tenant: 't' })({ modelId: 'nova' })
    expect(tags[0]).toBe('llm:bedrock:nova')
  })

  it('shows nothing of the tenant, and with a secret not even to one who guesses', () => {
    const plain = createLlmKeyer({ provider: 'anthropic', tenant: 'acme' })(request)
    const secret = createLlmKeyer({ provider: 'anthropic', tenant: 'acme', secret: 's' })(request)
    expect(JSON.stringify([plain, secret])).not.toContain('acme')
    expect(secret.group).not.toBe(plain.group)
    expect(secret.tags[1]).not.toBe(plain.tags[1])
  })
})
