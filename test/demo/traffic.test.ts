import { describe, expect, it } from 'vitest'
import { percentile } from '../../examples/demo/report/result.ts'
import { AnswerBook } from '../../examples/demo/traffic/answer-book.ts'
import { seededRandom } from '../../examples/demo/traffic/random.ts'
import { requestStream } from '../../examples/demo/traffic/stream.ts'
import { zipf } from '../../examples/demo/traffic/zipf.ts'
import { logNormal } from '../../examples/demo/upstreams/latency.ts'

const DRAWS = 20_000

function counts(ranks: readonly number[], size: number): number[] {
  const result = new Array<number>(size).fill(0)
  for (const rank of ranks) result[rank] = (result[rank] ?? 0) + 1
  return result
}

describe('the request stream', () => {
  it('is the same for the same seed only', () => {
    expect(requestStream('a', 500, 100)).toEqual(requestStream('a', 500, 100))
    expect(requestStream('a', 500, 100)).not.toEqual(requestStream('b', 500, 100))
  })

  it('is skewed by the Zipf law: rank r comes 1 / (r + 1) as often as the first', () => {
    const seen = counts(requestStream('skew', DRAWS, 100), 100)
    const [first = 0, second = 0] = seen
    expect(first / DRAWS).toBeCloseTo(1 / 5.187, 1)
    expect(first / second).toBeGreaterThan(1.8)
    expect(first / second).toBeLessThan(2.2)
    expect(seen.every((count) => count > 0)).toBe(true)
  })

  it('is flat where the exponent is 0', () => {
    const rank = zipf(10, 0, seededRandom('flat'))
    const seen = counts(Array.from({ length: DRAWS }, rank), 10)
    expect(Math.min(...seen) / Math.max(...seen)).toBeGreaterThan(0.85)
  })
})

describe('the latency of an upstream', () => {
  const draw = (seed: string) =>
    Array.from({ length: DRAWS }, logNormal({ p50: 2_000, p95: 3_300 }, seededRandom(seed)))

  it('has the median and the 95th percentile it was given', () => {
    const sorted = draw('shape').sort((a, b) => a - b)
    expect(percentile(sorted, 0.5) / 2_000).toBeCloseTo(1, 1)
    expect(percentile(sorted, 0.95) / 3_300).toBeCloseTo(1, 1)
    expect(sorted[0]).toBeGreaterThan(0)
  })

  it('is the same for the same seed only', () => {
    expect(draw('a')).toEqual(draw('a'))
    expect(draw('a')).not.toEqual(draw('b'))
  })
})

describe('a percentile', () => {
  it('is a value that was measured', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1)
    expect([0.5, 0.95, 0.99, 1].map((share) => percentile(values, share))).toEqual([
      50, 95, 99, 100,
    ])
    expect(percentile([7], 0.5)).toBe(7)
    expect(percentile([], 0.5)).toBe(0)
  })
})

describe('the answer book', () => {
  it('counts answers that differ from the first good one, and ignores failed ones', () => {
    const book = new AnswerBook()
    book.check(1, { status: 502, body: 'overloaded' })
    expect(book.has(1)).toBe(false)
    book.check(1, { status: 200, body: 'a' })
    book.check(1, { status: 200, body: 'a' })
    book.check(1, { status: 502, body: 'overloaded' })
    expect(book).toMatchObject({ checked: 1, different: 0 })
    book.check(1, { status: 200, body: 'b' })
    expect(book).toMatchObject({ checked: 2, different: 1 })
  })
})
