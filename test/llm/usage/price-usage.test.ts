import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeUsage } from '../../../src/llm/usage/normalize-usage.ts'
import type { NormalizedUsage } from '../../../src/llm/usage/normalized-usage.ts'
import { priceUsage, type UsagePrice } from '../../../src/llm/usage/price-usage.ts'

const M = 1_000_000

function usage(members: Partial<NormalizedUsage> = {}): NormalizedUsage {
  const { inputUncached = 0, cacheRead = 0, cacheWrite = {} } = members
  const written = Object.values(cacheWrite).reduce((sum, tokens) => sum + tokens, 0)
  return {
    provider: 'anthropic',
    model: 'claude-sonnet-5',
    inputTotal: inputUncached + cacheRead + written,
    inputUncached,
    cacheRead,
    cacheWrite,
    output: 0,
    raw: undefined,
    ...members,
  }
}

function priced(members: Partial<NormalizedUsage>, table?: Parameters<typeof priceUsage>[1]) {
  const price = priceUsage(usage(members), table)
  expect(price).not.toHaveProperty('unknownModel')
  return price as UsagePrice
}

describe('priceUsage', () => {
  it('prices each class as the published table does: Sonnet 5 is 2, 2.50, 4, 0.20 and 10', () => {
    const price = priced({
      inputUncached: M,
      cacheRead: M,
      cacheWrite: { '5m': M, '1h': M },
      output: M,
    })
    expect(price.breakdown.uncached).toBeCloseTo(2, 12)
    expect(price.breakdown.read).toBeCloseTo(0.2, 12)
    expect(price.breakdown.write['5m']).toBeCloseTo(2.5, 12)
    expect(price.breakdown.write['1h']).toBeCloseTo(4, 12)
    expect(price.breakdown.output).toBeCloseTo(10, 12)
    expect(price.actual).toBeCloseTo(18.7, 12)
    expect(price.counterfactual).toBeCloseTo(18, 12)
    expect(price.asOf).toBe('2026-11-22')
  })

  it.each([
    ['claude-opus-5-5', 4, 5, 8, 0.2, 20],
    ['claude-fable-5-1', 10, 12.5, 20, 0.25, 50],
    ['claude-haiku-4-5-20251001', 1, 1.25, 2, 0.1, 5],
  ])('prices %s as published', (model, input, fiveMinutes, hour, read, output) => {
    // Classes one by one: no long prompt among them.
    const cost = (members: Partial<NormalizedUsage>) => priced({ model, ...members }).actual
    expect(cost({ inputUncached: M })).toBeCloseTo(input, 12)
    expect(cost({ cacheWrite: { '5m': M } })).toBeCloseTo(fiveMinutes, 12)
    expect(cost({ cacheWrite: { '1h': M } })).toBeCloseTo(hour, 12)
    expect(cost({ cacheRead: M })).toBeCloseTo(read, 12)
    expect(cost({ output: M })).toBeCloseTo(output, 12)
  })

  it('shows what writes that nobody read have cost', () => {
    const price = priced({ cacheWrite: { '5m': M } })
    expect(price.saved).toBeCloseTo(-0.5, 12)
  })

  it('bills the whole of a long prompt at its prices, whatever part of it was read', () => {
    const model = 'claude-haiku-5-5'
    const short = priced({ model, inputUncached: 50_000, cacheRead: 50_000, output: 1000 })
    expect(short.actual).toBeCloseTo((50_000 * 0.1 + 50_000 * 0.01 + 1000 * 0.5) / M, 15)
    const long = priced({ model, inputUncached: 50_001, cacheRead: 50_000, output: 1000 })
    expect(long.actual).toBeCloseTo((50_001 * 0.5 + 50_000 * 0.05 + 1000 * 2.5) / M, 15)
  })

  it('halves a batch and adds a tenth in the US, both on all parts', () => {
    const members = { inputUncached: M, cacheRead: M, cacheWrite: { '1h': M }, output: M }
    const plain = priced(members)
    for (const [how, factor] of [
      [{ tier: 'batch', batch: true }, 0.5],
      [{ batch: true }, 0.5],
      [{ geo: 'us' }, 1.1],
      [{ tier: 'batch', geo: 'us' }, 0.55],
      [{ tier: 'standard', geo: 'global', speed: 'standard' }, 1],
    ] as const) {
      const price = priced({ ...members, ...how })
      expect(price.actual).toBeCloseTo(plain.actual * factor, 12)
      expect(price.counterfactual).toBeCloseTo(plain.counterfactual * factor, 12)
    }
  })

  it('prices other work of the same call by its own model', () => {
    const extra = usage({ model: 'claude-opus-5-5', cacheRead: M, output: M })
    const price = priced({ inputUncached: M, extra: [extra] })
    expect(price.breakdown.extra).toBeCloseTo(20.2, 12)
    expect(price.actual).toBeCloseTo(22.2, 12)
    expect(price.counterfactual).toBeCloseTo(26, 12)
  })

  it.each([
    ['a model without a price', { model: 'claude-opus-5' }, 'model'],
    ['a model nobody knows', { model: 'claude-sonnet-5-6' }, 'model'],
    ['a provider without prices', { provider: 'openai', model: 'gpt-6-sol' }, 'model'],
    ['fast mode', { speed: 'fast' }, 'speed'],
    ['a priority tier', { tier: 'priority' }, 'tier'],
    ['an unknown place', { geo: 'eu' }, 'geo'],
    ['a word of Object.prototype', { tier: 'toString' }, 'tier'],
    ['a lifetime without a price', { cacheWrite: { '12h': 5 } }, 'ttl'],
  ])('makes no sum for %s', (_what, members, reason) => {
    const asked = usage({ inputUncached: 5, ...members })
    expect(priceUsage(asked)).toEqual({ unknownModel: asked.model, reason })
  })

  it('makes no sum where a part of the call has none', () => {
    const extra = [usage({ model: 'claude-next' })]
    expect(priceUsage(usage({ inputUncached: 5, extra }))).toEqual({
      unknownModel: 'claude-next',
      reason: 'model',
    })
  })

  it('takes prices from the given table, and its date if it has one', () => {
    const table = {
      'openai/gpt-6-sol': { price: { input: 1, output: 4 }, asOf: '2026-12-01' },
    }
    const price = priced(
      {
        provider: 'openai',
        model: 'gpt-6-sol',
        tier: 'default',
        cacheRead: M,
        cacheWrite: { '30m': M },
      },
      table,
    )
    expect(price.actual).toBeCloseTo(0.1 + 1.25, 12)
    expect(price.asOf).toBe('2026-12-01')
  })

  it('makes no sum for a batch whose price nobody has said', () => {
    const table = { 'openai/gpt-6-sol': { price: { input: 1, output: 4 } } }
    const batch = usage({ provider: 'openai', model: 'gpt-6-sol', inputUncached: 5, batch: true })
    expect(priceUsage(batch, table)).toEqual({ unknownModel: 'gpt-6-sol', reason: 'tier' })
  })

  it('refuses a table that is none', () => {
    expect(() =>
      priceUsage(usage(), { 'anthropic/claude-sonnet-5': { prices: {} } } as never),
    ).toThrow(
      "unknown option of profiles['anthropic/claude-sonnet-5']: 'prices'; did you mean 'price'?",
    )
  })

  it('adds up: parts to the sum, and the sum to the counterfactual less what was saved', () => {
    const tokens = fc.nat(300_000)
    fc.assert(
      fc.property(
        fc.constantFrom('claude-sonnet-5', 'claude-haiku-5-5', 'claude-opus-5-5'),
        fc.record({ inputUncached: tokens, cacheRead: tokens, output: tokens }),
        fc.record({ '5m': tokens, '1h': tokens }),
        (model, members, cacheWrite) => {
          const { actual, counterfactual, saved, breakdown } = priced({
            model,
            ...members,
            cacheWrite,
          })
          const { uncached, read, write, output, extra } = breakdown
          const sum = uncached + read + (write['5m'] ?? 0) + (write['1h'] ?? 0) + output + extra
          expect(actual).toBeCloseTo(sum, 10)
          expect(counterfactual - saved).toBeCloseTo(actual, 10)
          const inputOnly = priced({
            model,
            inputUncached: usage({ ...members, cacheWrite }).inputTotal,
            output: members.output,
          })
          expect(counterfactual).toBeCloseTo(inputOnly.actual, 10)
        },
      ),
      { numRuns: 200 },
    )
  })
})

it('makes no sum for a call that is billed anew by a fallback credit', () => {
  const answer = (status: object) => ({
    model: 'claude-sonnet-5',
    usage: { input_tokens: M, output_tokens: 0, fallback_credit: { status } },
  })
  const priceOf = (status: object) =>
    priceUsage(normalizeUsage('anthropic', answer(status)) as NormalizedUsage)
  expect(priceOf({ type: 'not_applied', reason: 'expired' })).toMatchObject({ actual: 2 })
  expect(priceOf({ type: 'redeemed' })).toEqual({ unknownModel: 'claude-sonnet-5', reason: 'tier' })
})
