import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { LatencyQuantile } from '../../../src/policies/hedge/latency-quantile.ts'

describe('an estimated quantile', () => {
  it('is within 3 % of the real one, for any durations', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 1_000_000 }), { minLength: 20, maxLength: 900 }),
        fc.constantFrom(0.5, 0.9, 0.95, 0.99),
        (durations, quantile) => {
          const estimated = new LatencyQuantile(quantile)
          for (const ms of durations) estimated.record(ms)
          const sorted = durations.toSorted((a, b) => a - b)
          const real = sorted[Math.ceil(quantile * sorted.length) - 1] as number
          const estimate = estimated.estimate as number
          expect(estimate / real).toBeGreaterThan(0.97)
          expect(estimate / real).toBeLessThan(1.03)
        },
      ),
    )
  })

  it('follows when durations change', () => {
    const estimated = new LatencyQuantile(0.95)
    const random = seededRandom(7)
    for (let i = 0; i < 100_000; i++) estimated.record(100 * random())
    expect(estimated.estimate).toBeLessThan(110)
    for (let i = 0; i < 3000; i++) estimated.record(1000 * random())
    expect(estimated.estimate).toBeGreaterThan(850)
  })

  it('is not given before there is enough to go by', () => {
    const estimated = new LatencyQuantile(0.5)
    for (let i = 0; i < 19; i++) estimated.record(10)
    expect(estimated.estimate).toBeUndefined()
    estimated.record(10)
    expect(estimated.estimate).toBeCloseTo(10, -1)
  })

  it('takes anything from nothing to years', () => {
    const estimated = new LatencyQuantile(0.5)
    for (let i = 0; i < 20; i++) estimated.record(0)
    expect(estimated.estimate).toBe(1)
    for (let i = 0; i < 100; i++) estimated.record(1e15)
    expect(Number.isFinite(estimated.estimate)).toBe(true)
  })
})
