import { describe, expect, it } from 'vitest'
import { promptCacheKey } from '../../../src/llm/key/prompt-cache-key.ts'

const base = { tenant: 'acme', route: 'chat', prefixId: 'abc' }

describe('promptCacheKey', () => {
  it('is the same for ever: a changed key is a miss', () => {
    expect(promptCacheKey(base)).toBe('pc1-6392f9637f-dc651fdae206d679-0')
    expect(promptCacheKey({ ...base, tenant: { shared: true } })).toBe(
      'pc1-59000ed8f6-518f609a0c3a295a-0',
    )
    expect(promptCacheKey({ ...base, rpm: 100, shardSeed: 'conversation-1' })).toBe(
      'pc1-6392f9637f-dc651fdae206d679-6',
    )
  })

  it('has at most 64 characters and shows no id', () => {
    const long = { tenant: 'acme'.repeat(99), route: 'chat'.repeat(99), prefixId: 'é'.repeat(999) }
    const key = promptCacheKey({ ...long, rpm: Number.MAX_VALUE, shardSeed: 'seed' })
    expect(key).toMatch(/^pc1-[0-9a-f]{10}-[0-9a-f]{16}-\d+$/)
    expect(key.length).toBeLessThanOrEqual(64)
  })

  it('differs by tenant, route and prefix, and by where one ends and the next begins', () => {
    const keys = [
      base,
      { ...base, tenant: 'other' },
      { ...base, tenant: 'shared' },
      { ...base, tenant: { shared: true } as const },
      { ...base, route: 'other' },
      { ...base, prefixId: 'other' },
      { ...base, route: 'chata', prefixId: 'bc' },
    ].map(promptCacheKey)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('spreads over one key for every fifteen requests a minute, and stays with a conversation', () => {
    const shardsAt = (rpm: number) => {
      const keys = Array.from({ length: 400 }, (_, seed) =>
        promptCacheKey({ ...base, rpm, shardSeed: String(seed) }),
      )
      return new Set(keys).size
    }
    expect([0, 15, 16, 30, 31, 150].map(shardsAt)).toEqual([1, 1, 2, 2, 3, 10])
    const again = { ...base, rpm: 150, shardSeed: 'c' }
    expect(promptCacheKey(again)).toBe(promptCacheKey(again))
  })

  it('takes the first key where nothing tells conversations apart', () => {
    expect(promptCacheKey({ ...base, rpm: 1000 })).toBe(promptCacheKey(base))
  })
})
