import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/kernel/seeded-random.ts'

const series = (seed: number, length: number) => Array.from({ length }, seededRandom(seed))

describe('seededRandom', () => {
  it('gives the published series of mulberry32', () => {
    expect(series(1, 3)).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522])
  })

  it('gives the same series for the same seed, another for another', () => {
    expect(series(42, 50)).toEqual(series(42, 50))
    expect(series(42, 50)).not.toEqual(series(43, 50))
    expect(series(-1, 5)).toEqual(series(2 ** 32 - 1, 5))
  })

  it('is spread evenly over [0, 1)', () => {
    const buckets = new Array(10).fill(0)
    for (const value of series(7, 100_000)) buckets[Math.floor(value * 10)]++
    expect(buckets).toHaveLength(10)
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  })
})
