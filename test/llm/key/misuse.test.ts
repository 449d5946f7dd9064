import { describe, expect, it } from 'vitest'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import { llmKey } from '../../../src/llm/key/llm-key.ts'
import { createLlmKeyer } from '../../../src/llm/key/llm-keyer.ts'
import { promptCacheKey } from '../../../src/llm/key/prompt-cache-key.ts'
import { ask, keyOf } from './requests.ts'

const good = { provider: 'anthropic', tenant: 'acme' }

/** The message, once it is clear that the error is of this kind. */
function refusal(code: 'ERR_INVALID_OPTION' | 'ERR_UNCACHEABLE_KEY', act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (isResilienceError(error, code)) return error.message
    throw error
  }
  throw new Error('was not refused')
}

const TENANTS =
  "llmKey() needs tenant: the id of the tenant whose answers these are, or { shared: true } where everyone may see everyone's answers; got "

const options: [string, unknown, string][] = [
  ['no options', undefined, 'llmKey() takes an options object, got undefined'],
  [
    'no provider',
    { tenant: 't' },
    "llmKey() needs provider: 'anthropic', 'openai', 'gemini', 'bedrock' or another name; got undefined",
  ],
  ['no tenant', { provider: 'anthropic' }, `${TENANTS}undefined`],
  ['an empty tenant', { ...good, tenant: '' }, `${TENANTS}empty text`],
  ['a number as tenant', { ...good, tenant: 7 }, `${TENANTS}a number`],
  ['tenants that are not shared', { ...good, tenant: { shared: false } }, `${TENANTS}an object`],
  [
    'a shared tenant with a name',
    { ...good, tenant: { shared: true, id: 'a' } },
    `${TENANTS}an object`,
  ],
  [
    'a slip of the pen',
    { ...good, tennant: 't' },
    "unknown option of llmKey(): 'tennant'; did you mean 'tenant'?",
  ],
  ['an endpoint that is no text', { ...good, endpoint: 1 }, 'endpoint must be text, got a number'],
  [
    'a namespace that is no text',
    { ...good, namespace: {} },
    'namespace must be text, got an object',
  ],
  [
    'NaN as version',
    { ...good, version: Number.NaN },
    'version must be text or a finite number, got NaN',
  ],
  ['an object as seed', { ...good, variantSeed: {} }, 'variantSeed must be text, got an object'],
  [
    'an unknown order',
    { ...good, toolOrder: 'sorted' },
    "toolOrder has no such choice: 'sorted'; did you mean 'sort'?",
  ],
  [
    'an unknown way with state',
    { ...good, externalState: true },
    'externalState must be one of bypass, include; got true',
  ],
  [
    'an unknown way with URLs',
    { ...good, urlSource: 'by_url' },
    "urlSource, where it is no function, has no such choice: 'by_url'; did you mean 'by-url'?",
  ],
  ['no variant', { ...good, variants: 0 }, 'variants must be a whole number from 1 to 1000, got 0'],
  [
    'too many variants',
    { ...good, variants: Infinity },
    'variants must be a whole number from 1 to 1000, got Infinity',
  ],
  [
    'chance that is no function',
    { ...good, random: 0.5 },
    'random must be a function, got a number',
  ],
  [
    'a pointer alone',
    { ...good, ignore: '/a' },
    'ignore must be an array of JSON pointers, got text',
  ],
  [
    'a name instead of a pointer',
    { ...good, ignore: ['metadata'] },
    "ignore takes JSON pointers such as '/metadata/trace' ('~1' is a slash in a name, '~0' a tilde); got other text",
  ],
  [
    'a pointer at everything',
    { ...good, ignore: [''] },
    "ignore takes JSON pointers such as '/metadata/trace' ('~1' is a slash in a name, '~0' a tilde); got other text",
  ],
  [
    'a wrong escape',
    { ...good, ignore: ['/a~2'] },
    "ignore takes JSON pointers such as '/metadata/trace' ('~1' is a slash in a name, '~0' a tilde); got other text",
  ],
  [
    'an empty secret',
    { ...good, secret: '' },
    'secret must be text or bytes, and not empty; got an empty one',
  ],
  [
    'a secret that is no text',
    { ...good, secret: 5 },
    'secret must be text or bytes, and not empty; got a number',
  ],
  [
    'a Headers',
    { ...good, headers: new Headers({ 'anthropic-beta': 'a' }) },
    'headers must be a plain object; write Object.fromEntries(headers) for a Headers or a Map',
  ],
  ['headers as text', { ...good, headers: 'a: b' }, 'headers must be an object of text, got text'],
  [
    'a header that is no text',
    { ...good, headers: { 'anthropic-beta': ['a'] } },
    'headers must be an object of text; anthropic-beta is an array',
  ],
]

describe('options that are refused', () => {
  it.each(options)('%s', (_what, given, message) => {
    expect(refusal('ERR_INVALID_OPTION', () => llmKey(ask('x'), given as never))).toBe(message)
  })

  it('shows no secret, tenant or header', () => {
    const wrong = { ...good, secret: 's3cret', headers: { a: 's3cret', b: 1 } }
    expect(refusal('ERR_INVALID_OPTION', () => llmKey({}, wrong as never))).not.toContain('s3cret')
  })

  it('names the function that was called', () => {
    const keyer = { provider: 'anthropic' }
    const message = refusal('ERR_INVALID_OPTION', () => createLlmKeyer(keyer as never))
    expect(message).toMatch(/^createLlmKeyer\(\) needs tenant/)
    const named = refusal('ERR_INVALID_OPTION', () =>
      createLlmKeyer(keyer as never, 'promptCache()'),
    )
    expect(named).toMatch(/^promptCache\(\) needs tenant/)
  })

  it('takes no resolver where the key has to be there at once', () => {
    const given = { ...good, urlSource: () => 'digest' }
    expect(refusal('ERR_INVALID_OPTION', () => createLlmKeyer(given as never))).toBe(
      "createLlmKeyer() takes no function as urlSource, as its keys are made without waiting; use 'bypass' or 'by-url', or llmKey() for such requests",
    )
  })
})

const cycle: Record<string, unknown> = {}
cycle.self = cycle
const deep: unknown[] = []
let inner = deep
for (let level = 0; level < 600; level++) {
  const next: unknown[] = []
  inner.push(next)
  inner = next
}

const unsayable: [string, unknown, string][] = [
  ['NaN', Number.NaN, 'the number NaN'],
  ['Infinity', -Infinity, 'the number -Infinity'],
  ['BigInt', 1n, 'a bigint'],
  ['a function', () => 1, 'a function'],
  ['a symbol', Symbol('s'), 'a symbol'],
  ['a cycle', cycle, 'a cycle'],
  ['a deep nest', deep, 'an object more than 500 levels deep'],
  ['a Date', new Date(0), 'an instance of Date'],
  ['a Map', new Map(), 'an instance of Map'],
  ['a URL', new URL('https://x.test'), 'an instance of URL'],
  ['a typed array that is no bytes', new Float64Array(1), 'an instance of Float64Array'],
  ['an instance of a class', new (class Thing {})(), 'an instance of Thing'],
  ['a Proxy of one', new Proxy(new Date(0), {}), 'a Proxy of an unsupported object'],
  ['an object that writes its own JSON', { toJSON: () => 1 }, 'a function'],
]

describe('requests that JSON cannot say', () => {
  it.each(unsayable)('refuses %s', (_what, value, what) => {
    for (const request of [ask([value]), ask('x', { tools: [{ input_schema: { value } }] })]) {
      expect(refusal('ERR_UNCACHEABLE_KEY', () => keyOf(request))).toBe(
        `The request holds ${what}, which JSON cannot say. Pass plain data, as it is sent to the provider.`,
      )
    }
  })

  it.each([[null], [undefined], ['text'], [5], [[]]])('refuses %j as a request', (request) => {
    expect(refusal('ERR_UNCACHEABLE_KEY', () => keyOf(request))).toBe(
      'A request to an LLM is an object such as { model, messages }; this one is something else.',
    )
  })

  it('takes the same object twice for what it says twice', () => {
    const block = { type: 'text', text: 'x' }
    expect(keyOf(ask([block, block]))).toBe(keyOf(ask([{ ...block }, { ...block }])))
  })
})

describe('promptCacheKey', () => {
  const fine = { tenant: 't', route: 'r', prefixId: 'p' }
  it.each<[unknown, string]>([
    [
      { ...fine, tenant: '' },
      "promptCacheKey() needs tenant: the id of the tenant whose answers these are, or { shared: true } where everyone may see everyone's answers; got empty text",
    ],
    [{ ...fine, route: '' }, 'promptCacheKey() needs route, as text; got empty text'],
    [{ ...fine, prefixId: 1 }, 'promptCacheKey() needs prefixId, as text; got a number'],
    [{ ...fine, rpm: -1 }, 'rpm must be a finite number ≥ 0, got -1'],
    [{ ...fine, shardSeed: 1 }, 'shardSeed must be text, got a number'],
    [
      { ...fine, shardSed: 'a' },
      "unknown option of promptCacheKey(): 'shardSed'; did you mean 'shardSeed'?",
    ],
  ])('refuses %j', (given, message) => {
    expect(refusal('ERR_INVALID_OPTION', () => promptCacheKey(given as never))).toBe(message)
  })
})
