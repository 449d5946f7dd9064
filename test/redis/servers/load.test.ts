import { describe, expect, it } from 'vitest'
import { percentile, runLoad } from './load.ts'

describe('the load', () => {
  it('keeps its rate whatever an answer takes and makes up for a busy event loop', async () => {
    const { count, errors, history, maxLag, p50 } = await runLoad({
      callsPerSecond: 1_000,
      forMs: 300,
      call: async (index) => {
        if (index === 100) for (const end = performance.now() + 50; performance.now() < end; );
        await new Promise((resolve) => setTimeout(resolve, 100))
        return index
      },
    })
    expect([count, errors]).toEqual([300, 0])
    expect(history.map(({ result }) => result)).toEqual([...Array(300).keys()])
    expect(history.every(({ start, due }) => start >= due)).toBe(true)
    expect(maxLag).toBeGreaterThan(45)
    expect(history.at(-1)?.start).toBeLessThan(350)
    expect(p50).toBeGreaterThan(95)
  })

  it('records calls that reject or throw', async () => {
    const failure = new Error('expected')
    const { errors, history } = await runLoad({
      callsPerSecond: 1_000,
      forMs: 20,
      call: (index) => {
        if (index % 2 === 0) throw failure
        return index % 4 === 1 ? Promise.reject(failure) : index
      },
    })
    expect(errors).toBe(15)
    expect(history[0]).toMatchObject({ index: 0, error: failure })
    expect(history[3]).toMatchObject({ index: 3, result: 3 })
  })

  it('ends when told to', async () => {
    const stop = new AbortController()
    const { count } = await runLoad({
      callsPerSecond: 1_000,
      forMs: 60_000,
      signal: stop.signal,
      call: (index) => index === 10 && stop.abort(),
    })
    expect(count).toBeLessThan(100)
  })

  it('gives percentiles', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100])
    expect(percentile([], 0.5)).toBe(0)
  })
})
