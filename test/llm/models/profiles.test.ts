import { describe, expect, it } from 'vitest'
import { isModelAsked } from '../../../src/llm/models/model-name.ts'
import { profilesOf } from '../../../src/llm/models/profile-table.ts'
import { findProfile } from '../../../src/llm/models/profiles.ts'

describe('findProfile', () => {
  it.each([
    'claude-sonnet-5',
    'claude-sonnet-5-20260101',
    'claude-sonnet-5-2026-01-01',
    'claude-sonnet-5-latest',
    'claude-sonnet-5@20260101',
    'claude-sonnet-5@default',
    'anthropic.claude-sonnet-5-20260101-v1:0',
    'us.anthropic.claude-sonnet-5-20260101-v1:0',
    'global.anthropic.claude-sonnet-5-20260101-v1:0',
    'us-gov.anthropic.claude-sonnet-5',
    'anthropic.claude-sonnet-5-20260101-v1:0:200k',
    'arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-5-20260101-v1:0',
    'publishers/anthropic/models/claude-sonnet-5@20260101',
  ])('finds the entry of a model by %s', (name) => {
    const profile = findProfile('anthropic', name)
    expect(profile.id).toBe('claude-sonnet-5')
    expect(profile.minTokens).toBe(1024)
    expect(profile.write).toEqual({ '5m': 1.25, '1h': 2 })
  })

  it.each(['claude-sonnet-5-6', 'claude-sonnet-5-mini', 'claude-sonnet-50', 'claude-opus-4-9'])(
    'does not take %s for an older model whose name it begins with',
    (name) => {
      const profile = findProfile('anthropic', name)
      expect(profile.id).toBe('')
      expect(profile.minTokens).toBeNull()
      expect(profile.price).toBeUndefined()
    },
  )

  it.each([
    ['claude-opus-4-5-20251101', 'claude-opus-4-5'],
    ['claude-opus-4-20250514', 'claude-opus-4'],
    ['claude-fable-5-1', 'claude-fable-5-1'],
    ['claude-3-5-haiku-latest', 'claude-3-5-haiku'],
  ])('tells versions apart: %s', (name, id) => {
    expect(findProfile('anthropic', name).id).toBe(id)
  })

  it('sells nothing at the price of another seller', () => {
    expect(findProfile('anthropic', 'claude-sonnet-5').price).toEqual({ input: 2, output: 10 })
    expect(findProfile('anthropic', 'us.anthropic.claude-sonnet-5-v1:0').price).toBeUndefined()
    expect(findProfile('anthropic', 'claude-sonnet-5@20260101').price).toBeUndefined()
    expect(findProfile('bedrock', 'us.anthropic.claude-sonnet-5-v1:0').price).toBeUndefined()
  })

  it('knows that Bedrock has another minimum for Opus 4.7', () => {
    expect(findProfile('anthropic', 'claude-opus-4-7').minTokens).toBe(2048)
    expect(findProfile('bedrock', 'us.anthropic.claude-opus-4-7-v1:0').minTokens).toBe(4096)
  })

  it.each([
    ['gpt-5.6-sol', true, 0.1],
    ['gpt-6.1-sol', true, 0.05],
    ['gpt-6.1-terra', true, 0.1],
    ['gpt-6-astra', true, 0.1],
    ['gpt-5.5-2026-04-23', false, 1],
    ['gpt-5.4-mini', false, 1],
    ['gpt-5-chat-latest', false, 1],
    ['gpt-4o-mini', false, 1],
    ['gpt-9', false, 1],
  ])('says of %s whether it takes breakpoints', (name, explicit, read) => {
    const profile = findProfile('openai', name)
    expect(profile.explicitBreakpoints).toBe(explicit)
    expect(profile.read).toBe(read)
    expect(profile.price).toBeUndefined()
  })

  it.each([
    ['gemini-2.5-flash', 2048],
    ['gemini-3.1-pro-preview', 4096],
    ['gemini-1.5-pro', null],
  ])('knows the minimum of %s', (name, minTokens) => {
    expect(findProfile('gemini', name).minTokens).toBe(minTokens)
  })

  it('knows nothing of another provider, and promises nothing', () => {
    expect(findProfile('mistral', 'large')).toMatchObject({
      provider: 'mistral',
      minTokens: null,
      maxBreakpoints: 0,
      write: {},
      read: 1,
    })
  })

  it('says of every entry when and where it was found', () => {
    for (const provider of ['anthropic', 'bedrock', 'vertex', 'openai', 'gemini']) {
      const profiles = profilesOf(provider)
      expect(profiles.length).toBeGreaterThan(0)
      expect(new Set(profiles.map(({ id }) => id)).size).toBe(profiles.length)
      for (const profile of profiles) {
        expect(profile.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/)
        expect(profile.source).toMatch(/docs|SDK|second-hand/)
        expect(profile.provider).toBe(provider)
      }
    }
  })
})

describe('overrides of profiles', () => {
  it('replace what they name and leave the rest', () => {
    const profile = findProfile('anthropic', 'claude-opus-5-20260301', {
      'anthropic/claude-opus-5': { price: { input: 5, output: 25 } },
    })
    expect(profile).toMatchObject({ price: { input: 5, output: 25 }, minTokens: 512, read: 0.1 })
  })

  it('of a dated name go before those of the model, and leave other dates alone', () => {
    const overrides = {
      'anthropic/claude-sonnet-5': { minTokens: 7 },
      'anthropic/claude-sonnet-5-20260101': { minTokens: 8 },
    }
    expect(findProfile('anthropic', 'claude-sonnet-5-20260101', overrides).minTokens).toBe(8)
    expect(findProfile('anthropic', 'claude-sonnet-5-20260202', overrides).minTokens).toBe(7)
    expect(findProfile('anthropic', 'claude-haiku-4-5', overrides).minTokens).toBe(4096)
  })

  it('of a family give way to the entry of one of its models', () => {
    const overrides = { 'openai/gpt-6.1': { family: true, read: 0.2 } }
    expect(findProfile('openai', 'gpt-6.1-terra', overrides).read).toBe(0.2)
    expect(findProfile('openai', 'gpt-6.1-sol', overrides).read).toBe(0.05)
  })

  it('add models and sellers that the table does not know', () => {
    const overrides = {
      'mistral/large': { minTokens: 64, price: { input: 1, output: 2 } },
      'bedrock/claude-sonnet-5': { price: { input: 2.2, output: 11 } },
    }
    expect(findProfile('mistral', 'large', overrides).minTokens).toBe(64)
    const sold = findProfile('anthropic', 'us.anthropic.claude-sonnet-5-v1:0', overrides)
    expect(sold).toMatchObject({ price: { input: 2.2, output: 11 }, minTokens: 1024 })
  })

  it.each([
    [
      { 'anthropic/x': { minToken: 5 } },
      "unknown option of profiles['anthropic/x']: 'minToken'; did you mean 'minTokens'?",
    ],
    [
      { 'claude-sonnet-5': {} },
      "profiles: a key must be 'provider/model' such as 'anthropic/claude-sonnet-5', got 'claude-sonnet-5'",
    ],
    [{ 'anthropic/x': { price: { input: 1 } } }, "profiles['anthropic/x'].price.output is missing"],
    [
      { 'anthropic/x': { write: { '6m': 1 } } },
      "unknown option of profiles['anthropic/x'].write: '6m'; did you mean '5m'?",
    ],
    [
      { 'anthropic/x': { read: -1 } },
      "profiles['anthropic/x'].read must be a number from 0 to 100, got -1",
    ],
    [
      { 'anthropic/x': { id: 'y' } },
      "profiles['anthropic/x'].id must be 'x' as its key says, or left out",
    ],
    [
      { 'anthropic/x': { factors: { tier: {} } } },
      "profiles['anthropic/x'].factors.speed is missing",
    ],
    [
      { 'anthropic/x': { thinkingTier: 'most' } },
      "profiles['anthropic/x'].thinkingTier has no such choice: 'most'; known are messages, all, unknown",
    ],
    [[], "profiles must be an object of profiles by 'provider/model', got an array"],
  ])('are refused with the remedy: %j', (overrides, message) => {
    const find = () => findProfile('anthropic', 'x', overrides as never)
    expect(find).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', message }))
  })
})

describe('isModelAsked', () => {
  it.each([
    ['claude-sonnet-5', 'claude-sonnet-5-20260101', true],
    ['claude-sonnet-5-latest', 'claude-sonnet-5-20260101', true],
    ['us.anthropic.claude-sonnet-5-20260101-v1:0', 'claude-sonnet-5-20260101', true],
    ['claude-sonnet-5@20260101', 'claude-sonnet-5-20260101', true],
    ['gpt-4o', 'gpt-4o-2024-08-06', true],
    ['gpt-4', 'gpt-4-0613', true],
    ['gemini-2.0-flash', 'gemini-2.0-flash-001', true],
    ['claude-sonnet-5-20260101', 'claude-sonnet-5-20260601', false],
    ['claude-sonnet-5-20260101', 'claude-sonnet-5', false],
    ['claude-sonnet-5', 'claude-sonnet-5-5', false],
    ['claude-opus-5-5', 'claude-sonnet-5', false],
    ['gpt-4o', 'gpt-4o-mini', false],
  ])('of %s by %s: %s', (requested, answered, expected) => {
    expect(isModelAsked(requested, answered)).toBe(expected)
  })
})
