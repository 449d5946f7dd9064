import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeUsage } from '../../../src/llm/usage/normalize-usage.ts'
import type { NormalizedUsage } from '../../../src/llm/usage/normalized-usage.ts'

function partsOf({ inputUncached, cacheRead, cacheWrite }: NormalizedUsage): number {
  return Object.values(cacheWrite).reduce((sum, tokens) => sum + tokens, inputUncached + cacheRead)
}

const ANTHROPIC = {
  id: 'msg_1',
  type: 'message',
  model: 'claude-sonnet-5-20260101',
  usage: {
    input_tokens: 50,
    cache_creation_input_tokens: 248,
    cache_read_input_tokens: 1800,
    cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
    output_tokens: 503,
    output_tokens_details: { thinking_tokens: 40 },
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: 'us',
    speed: 'standard',
  },
}

describe('normalizeUsage of Anthropic', () => {
  it('adds what was read and written to the input', () => {
    expect(normalizeUsage('anthropic', ANTHROPIC)).toEqual({
      provider: 'anthropic',
      model: 'claude-sonnet-5-20260101',
      inputTotal: 2098,
      inputUncached: 50,
      cacheRead: 1800,
      cacheWrite: { '5m': 148, '1h': 100 },
      output: 503,
      reasoning: 40,
      tier: 'standard',
      geo: 'us',
      speed: 'standard',
      raw: ANTHROPIC.usage,
    })
  })

  it('takes what is written without a lifetime for five minutes', () => {
    const usage = { input_tokens: 1, cache_creation_input_tokens: 9, cache_creation: null }
    expect(normalizeUsage('anthropic', { model: 'm', usage })?.cacheWrite).toEqual({ '5m': 9 })
  })

  it('believes the lifetimes where they say more than the sum', () => {
    const usage = {
      input_tokens: 1,
      cache_creation_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 3 },
    }
    const normalized = normalizeUsage('anthropic', { model: 'm', usage })
    expect(normalized?.cacheWrite).toEqual({ '5m': 4, '1h': 3 })
    expect(normalized?.inputTotal).toBe(8)
  })

  it('keeps fields that are null out', () => {
    const usage = {
      input_tokens: 8,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      cache_creation: null,
      output_tokens: 0,
      output_tokens_details: null,
      service_tier: null,
      inference_geo: null,
      speed: null,
    }
    expect(normalizeUsage('anthropic', { model: 'm', usage })).toEqual({
      provider: 'anthropic',
      model: 'm',
      inputTotal: 8,
      inputUncached: 8,
      cacheRead: 0,
      cacheWrite: {},
      output: 0,
      raw: usage,
    })
  })

  it('tells work that is not in the totals apart, with its own model', () => {
    const iteration = { input_tokens: 10, output_tokens: 2, cache_read_input_tokens: 5 }
    const usage = {
      ...ANTHROPIC.usage,
      iterations: [
        { ...iteration, type: 'message', model: 'claude-sonnet-5' },
        { ...iteration, type: 'advisor_message', model: 'claude-opus-5-5' },
        { ...iteration, type: 'compaction' },
        { ...iteration, type: 'fallback_message', model: 'claude-haiku-4-5' },
      ],
    }
    const normalized = normalizeUsage('anthropic', { ...ANTHROPIC, usage })
    expect(normalized?.inputTotal).toBe(2098)
    expect(
      normalized?.extra?.map(({ model, inputTotal, geo }) => [model, inputTotal, geo]),
    ).toEqual([
      ['claude-opus-5-5', 15, 'us'],
      ['claude-sonnet-5-20260101', 15, 'us'],
      ['claude-haiku-4-5', 15, 'us'],
    ])
  })

  it('sees a batch', () => {
    const usage = { input_tokens: 1, service_tier: 'batch' }
    expect(normalizeUsage('anthropic', { model: 'm', usage })).toMatchObject({
      tier: 'batch',
      batch: true,
    })
  })
})

describe('normalizeUsage of OpenAI', () => {
  const chat = {
    model: 'gpt-5.6-sol',
    service_tier: 'default',
    usage: {
      prompt_tokens: 2006,
      completion_tokens: 300,
      total_tokens: 2306,
      prompt_tokens_details: { cached_tokens: 1024, cache_write_tokens: 900 },
      completion_tokens_details: { reasoning_tokens: 120 },
    },
  }

  it('takes what was read and written out of the total', () => {
    expect(normalizeUsage('openai', chat)).toEqual({
      provider: 'openai',
      model: 'gpt-5.6-sol',
      inputTotal: 2006,
      inputUncached: 82,
      cacheRead: 1024,
      cacheWrite: { '30m': 900 },
      output: 300,
      reasoning: 120,
      tier: 'default',
      raw: chat.usage,
    })
  })

  it('reads a Responses answer, whole and as the last event of a stream', () => {
    const response = {
      object: 'response',
      model: 'gpt-6-sol',
      usage: {
        input_tokens: 5000,
        input_tokens_details: {
          cached_tokens: 1000,
          cache_write_tokens: 3000,
          cache_write_tokens_details: { ttl_12h_tokens: 2000, ttl_30m_tokens: 1000 },
        },
        output_tokens: 10,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 5010,
      },
    }
    const expected = {
      model: 'gpt-6-sol',
      inputTotal: 5000,
      inputUncached: 1000,
      cacheRead: 1000,
      cacheWrite: { '30m': 1000, '12h': 2000 },
      output: 10,
    }
    expect(normalizeUsage('openai', response)).toMatchObject(expected)
    const event = { type: 'response.completed', response }
    expect(normalizeUsage('openai', event)).toMatchObject(expected)
  })

  it('knows the lifetime of writes from the options of the answer', () => {
    const answer = {
      model: 'm',
      prompt_cache_options: { mode: 'explicit', ttl: '12h' },
      usage: { input_tokens: 10, input_tokens_details: { cache_write_tokens: 4 } },
    }
    expect(normalizeUsage('openai', answer)?.cacheWrite).toEqual({ '12h': 4 })
  })

  it('believes the parts where they are more than the total', () => {
    const usage = { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 30 } }
    expect(normalizeUsage('openai', { model: 'm', usage })).toMatchObject({
      inputTotal: 30,
      inputUncached: 0,
      cacheRead: 30,
    })
  })
})

describe('normalizeUsage of Gemini', () => {
  it('counts thoughts as output, and what tools brought as input', () => {
    const usageMetadata = {
      promptTokenCount: 5000,
      cachedContentTokenCount: 4096,
      candidatesTokenCount: 100,
      thoughtsTokenCount: 60,
      toolUsePromptTokenCount: 7,
      totalTokenCount: 5167,
    }
    const usage = normalizeUsage('gemini', { modelVersion: 'gemini-3.1-pro', usageMetadata })
    expect(usage).toMatchObject({
      model: 'gemini-3.1-pro',
      inputTotal: 5007,
      inputUncached: 911,
      cacheRead: 4096,
      cacheWrite: {},
      output: 160,
      reasoning: 60,
    })
  })

  it('reads the Interactions API', () => {
    const usage = {
      total_input_tokens: 5000,
      total_cached_tokens: 4096,
      total_output_tokens: 100,
      total_thought_tokens: 60,
      total_tool_use_tokens: 0,
      total_tokens: 5160,
    }
    expect(normalizeUsage('gemini', { model: 'gemini-3.1-pro', usage })).toMatchObject({
      inputTotal: 5000,
      cacheRead: 4096,
      output: 160,
    })
  })
})

describe('normalizeUsage of Bedrock', () => {
  const usage = {
    inputTokens: 50,
    outputTokens: 9,
    totalTokens: 2107,
    cacheReadInputTokens: 1800,
    cacheWriteInputTokens: 248,
    cacheDetails: [
      { ttl: '1h', inputTokens: 100 },
      { ttl: '5m', inputTokens: 148 },
    ],
  }

  it('reads writes by lifetime, under the name that was asked for', () => {
    expect(normalizeUsage('bedrock', { usage }, 'us.anthropic.claude-sonnet-5')).toMatchObject({
      model: 'us.anthropic.claude-sonnet-5',
      inputTotal: 2098,
      cacheRead: 1800,
      cacheWrite: { '5m': 148, '1h': 100 },
    })
  })

  it('takes writes without details for five minutes', () => {
    const { cacheDetails: _, ...plain } = usage
    expect(normalizeUsage('bedrock', { usage: plain })?.cacheWrite).toEqual({ '5m': 248 })
  })

  it('reads what InvokeModel answers', () => {
    expect(normalizeUsage('bedrock', ANTHROPIC)).toMatchObject({ inputTotal: 2098 })
  })
})

describe('normalizeUsage', () => {
  it.each([
    ['another provider', 'mistral', ANTHROPIC],
    ['no answer', 'anthropic', undefined],
    ['text', 'openai', 'text'],
    ['an answer without usage', 'openai', { model: 'm' }],
    ['usage of another provider', 'anthropic', { usage: { prompt_tokens: 5 } }],
    ['tokens that are no number', 'anthropic', { usage: { input_tokens: '5' } }],
    ['tokens that cannot be', 'openai', { usage: { input_tokens: -5 } }],
    [
      'what throws when it is looked at',
      'openai',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no')
          },
        },
      ),
    ],
  ])('says nothing of %s', (_what, provider, answer) => {
    expect(normalizeUsage(provider, answer)).toBeUndefined()
  })

  const names = [
    'usage',
    'usageMetadata',
    'input_tokens',
    'prompt_tokens',
    'inputTokens',
    'promptTokenCount',
    'total_input_tokens',
    'cache_creation',
    'cache_creation_input_tokens',
    'cache_read_input_tokens',
    'ephemeral_5m_input_tokens',
    'ephemeral_1h_input_tokens',
    'input_tokens_details',
    'prompt_tokens_details',
    'cached_tokens',
    'cache_write_tokens',
    'cachedContentTokenCount',
    'total_cached_tokens',
    'cacheReadInputTokens',
    'cacheWriteInputTokens',
    'cacheDetails',
    'ttl',
    'iterations',
    'type',
    'cache_write_tokens_details',
    'ttl_12h_tokens',
    'ttl_30m_tokens',
  ]
  const { tree } = fc.letrec((tie) => ({
    leaf: fc.oneof(
      { weight: 4, arbitrary: fc.nat(100_000) },
      fc.constantFrom(null, undefined, -1, Number.NaN, '5', true, '5m', '1h', 'compaction'),
    ),
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      tie('leaf'),
      fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 8 }),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  }))

  const totals = {
    input_tokens: fc.nat(100_000),
    prompt_tokens: fc.nat(100_000),
    inputTokens: fc.nat(100_000),
    promptTokenCount: fc.nat(100_000),
  }

  it('never throws, and its total is the sum of its parts, whatever it is given', () => {
    let read = 0
    fc.assert(
      fc.property(
        fc.constantFrom('anthropic', 'openai', 'gemini', 'bedrock'),
        fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 12 }),
        // Where there is a count of input there is something to be told.
        fc.record(totals, { requiredKeys: [] }),
        fc.boolean(),
        (provider, odd, counts, isInside) => {
          const fields = { ...odd, ...counts }
          const answer = isInside ? { usage: fields, usageMetadata: fields } : fields
          const usage = normalizeUsage(provider, answer)
          if (!usage) return
          read++
          for (const part of [usage, ...(usage.extra ?? [])]) {
            expect(part.inputTotal).toBe(partsOf(part))
            expect(Object.values(part.cacheWrite).every((tokens) => tokens > 0)).toBe(true)
          }
        },
      ),
      { numRuns: 1500 },
    )
    expect(read).toBeGreaterThan(100)
  })

  it('keeps the total of OpenAI and Gemini wherever the parts allow it', () => {
    fc.assert(
      fc.property(fc.nat(9999), fc.nat(9999), fc.nat(9999), (uncached, read, written) => {
        const total = uncached + read + written
        const details = { cached_tokens: read, cache_write_tokens: written }
        const usage = { prompt_tokens: total, prompt_tokens_details: details }
        expect(normalizeUsage('openai', { model: 'm', usage })?.inputTotal).toBe(total)
        const usageMetadata = { promptTokenCount: total, cachedContentTokenCount: read }
        expect(normalizeUsage('gemini', { usageMetadata })?.inputTotal).toBe(total)
      }),
    )
  })
})
