import { describe, expect, it } from 'vitest'
import { fallback } from '../../../src/policies/fallback/fallback.ts'
import { failsTimes } from '../guard/fixture.ts'

const down = failsTimes(Number.POSITIVE_INFINITY).run

describe('a task that fails', () => {
  it('is answered by a value, be it undefined', async () => {
    expect(await fallback(7)(down)).toBe(7)
    expect(await fallback(undefined)(down)).toBe(undefined)
    expect(await fallback(null)(down)).toBe(null)
  })

  it('is answered by what a function makes of its error', async () => {
    const run = fallback(async (error) => (error as Error).message)
    expect(await run(down)).toBe('down')
  })

  it('has its arguments told to the function', async () => {
    const wrapped = fallback((_, { args }) => `no ${args[0]}`).wrap(async (_id: string) => down())
    expect(await wrapped('tea')).toBe('no tea')
    expect(await fallback((_, { args }) => args)(down)).toEqual([])
  })

  it('tells whoever runs it that it was the fallback', async () => {
    const told: unknown[] = []
    await fallback(7)(down, { onFallback: (error) => told.push(error) })
    await fallback(7)(async () => 1, { onFallback: (error) => told.push(error) })
    expect(told).toEqual([new Error('down')])
  })

  it('rejects with what the function throws', async () => {
    const run = fallback(() => {
      throw new Error('nothing left')
    })
    await expect(run(down)).rejects.toThrow('nothing left')
    await expect(fallback(() => Promise.reject(new Error('later')))(down)).rejects.toThrow('later')
  })
})

describe('other calls', () => {
  it('are not touched', async () => {
    const run = fallback(7)
    expect(await run(async () => 1)).toBe(1)
    expect(run.stats()).toEqual({
      calls: 1,
      inFlight: 0,
      succeeded: 1,
      failed: 0,
      aborted: 0,
      fallbacks: 0,
    })
  })

  it('that were aborted get no fallback: nobody wants it', async () => {
    const run = fallback(7)
    await expect(run(down, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    expect(run.stats()).toMatchObject({ aborted: 1, fallbacks: 0 })
  })
})

describe('the event', () => {
  it('tells of the error', async () => {
    const run = fallback(7, { name: 'price' })
    const told: unknown[] = []
    run.on('fallback', (event) => told.push(event))
    await run(down)
    expect(told).toEqual([{ name: 'price', error: new Error('down') }])
  })
})
