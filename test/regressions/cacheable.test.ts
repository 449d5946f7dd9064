import { describe, expect, it } from 'vitest'
import { FakeClock, memory, settle, testCache, twoProcesses } from './fixture.ts'

// Defects of cacheable, cache-manager and Keyv that must not be ours.

const FALSY = [null, undefined, 0, '', false, Number.NaN]

describe('errors of the origin', () => {
  it('cacheable#1147: an error of the origin reaches every caller', async () => {
    const { cache } = testCache()
    const error = new Error('no such partner')
    const fn = cache.cached(async () => {
      throw error
    })
    const results = await Promise.allSettled([fn(), fn(), fn()])
    expect(results.map((result) => result.status === 'rejected' && result.reason)).toEqual([
      error,
      error,
      error,
    ])
    await expect(cache.getOrSet('key', () => Promise.reject(error))).rejects.toBe(error)
  })

  it('cacheable#1554: an error thrown before the first await rejects, it is not thrown', async () => {
    const { cache } = testCache()
    const fn = cache.cached((): string => {
      throw new Error('at once')
    })
    const call = fn()
    await expect(call).rejects.toThrow('at once')
  })

  it('cacheable#896: a failed call is not cached', async () => {
    const { cache } = testCache({ l2: memory() })
    let calls = 0
    const fn = cache.cached(
      async () => {
        if (++calls === 1) throw new Error('once')
        return calls
      },
      { name: 'fn' },
    )
    await expect(fn()).rejects.toThrow('once')
    expect(await fn()).toBe(2)
  })
})

describe('keys', () => {
  it("cacheable: f('aB') and f('b!') do not share an entry", async () => {
    const { cache } = testCache({ l2: memory() })
    const fn = cache.cached(async (text: string) => `value of ${text}`, { name: 'fn' })
    expect(await fn('aB')).toBe('value of aB')
    expect(await fn('b!')).toBe('value of b!')
    expect(fn.key('aB')).not.toBe(fn.key('b!'))
  })

  it.each([
    [[1], ['1']],
    [[[1, 2]], ['1,2']],
    [
      [1, 2],
      ['1', '2'],
    ],
    [[{ a: undefined }], [{}]],
    [[null], [undefined]],
    [[Buffer.from('a')], [new Uint8Array([97])]],
    [['a', 'b'], ['a:b']],
    [[true], ['true']],
    [[1n], [1]],
  ])(
    'cacheable: arguments that only look alike do not share an entry: %#',
    async (first, second) => {
      const { cache } = testCache({ l2: memory() })
      let calls = 0
      const fn = cache.cached(async (..._: unknown[]) => ++calls, { name: 'fn' })
      expect(await fn(...first)).toBe(1)
      expect(await fn(...second)).toBe(2)
      expect(fn.key(...first)).not.toBe(fn.key(...second))
    },
  )

  it('keyv#1142: prefixes of namespaces are not put twice, nor cut off', async () => {
    const { cache } = testCache({ l2: memory() })
    await cache.namespace('a').set('a:key', 1)
    await cache.set('a:key', 2)
    await cache.namespace('a').namespace('a').set('key', 3)
    expect(await cache.namespace('a').get('a:key')).toBe(1)
    expect(await cache.get('a:key')).toBe(2)
    expect(await cache.namespace('a').namespace('a').get('key')).toBe(3)
    expect(await cache.namespace('a').get('key')).toBeUndefined()
  })
})

describe('falsy values', () => {
  it.each(FALSY)(
    'cacheable#1134: %s is a hit, single and in bulk, from L1 and from L2',
    async (value) => {
      const { a, b } = twoProcesses()
      const options = { name: 'fn' }
      let calls = 0
      const load = async (_: number): Promise<unknown> => {
        calls++
        return value
      }
      const here = a.cached(load, options)
      const there = b.cached(load, options)
      expect(await here(1)).toEqual(value)
      await settle()
      expect(await there(1)).toEqual(value)
      expect(await there(1)).toEqual(value)
      expect(await here.many([[1]])).toEqual([value])
      expect(here.peekEntry(1)).toMatchObject({ value })
      expect(calls).toBe(1)
    },
  )

  it.each([null, 0, '', false])('cacheable#185: get finds %s that was set', async (value) => {
    const { a, b } = twoProcesses()
    await a.set('key', value)
    expect(await a.get('key')).toBe(value)
    expect(await b.get('key')).toBe(value)
    expect(await b.getMany(['key', 'none'])).toEqual([value, undefined])
  })
})

describe('levels', () => {
  it('cache-manager: get finds what only L2 holds, and keeps it in L1', async () => {
    const { a, b } = twoProcesses()
    await a.set('key', 'value')
    expect(await b.get('key')).toBe('value')
    expect(await b.get('key')).toBe('value')
    expect(b.stats().hits).toMatchObject({ l1: 1, l2: 1 })
  })

  it('cache-manager: promotion does not outlive what L2 holds', async () => {
    const { a, b, clock } = twoProcesses({ ttl: '10s' })
    await a.set('key', 'value')
    await clock.advance('9s')
    expect(await b.get('key')).toBe('value')
    await clock.advance('1100ms')
    expect(await b.get('key')).toBeUndefined()
  })

  it('cacheable#1169: an entry in L1 ends with the ttl that its key was given', async () => {
    const { cache, clock } = testCache({ l2: memory(), ttl: '1h' })
    await cache.set('key', 'value', { ttl: '2s' })
    await clock.advance('2100ms')
    expect(await cache.get('key')).toBeUndefined()
  })

  it('cacheable#843: a Date comes back as a Date, from L1 and from L2 alike', async () => {
    const { a, b } = twoProcesses()
    const value = {
      at: new Date(5),
      bytes: Buffer.from('x'),
      big: 2n ** 70n,
      map: new Map([[1, 2]]),
    }
    await a.set('key', value)
    expect(await a.get('key')).toEqual(value)
    expect(await b.get('key')).toEqual(value)
    expect(await b.getMany(['key'])).toEqual([value])
  })

  it('cacheable: what a caller does to a value it got is not seen by others with values: clone', async () => {
    const { cache } = testCache({ l1: { values: 'clone' } })
    const fn = cache.cached(async () => ({ list: [1] }))
    ;(await fn()).list.push(2)
    expect(await fn()).toEqual({ list: [1] })
  })

  it('cacheable: clear empties the other processes too', async () => {
    const { a, b } = twoProcesses()
    await a.set('key', 'value')
    expect(await b.get('key')).toBe('value')
    await a.clear()
    await settle()
    expect(await b.get('key')).toBeUndefined()
    expect(await a.get('key')).toBeUndefined()
  })
})

describe('single-flight', () => {
  it('cacheable#888: a burst of callers loads once, single and in bulk', async () => {
    const { cache } = testCache({ l2: memory() })
    let calls = 0
    const fn = cache.cached(
      async (id: number) => {
        calls++
        await settle()
        return id
      },
      { name: 'fn' },
    )
    const bulk = fn.many(Array.from({ length: 10 }, (): [number] => [1]))
    await Promise.all([bulk, ...Array.from({ length: 100 }, () => fn(1))])
    expect(calls).toBe(1)
  })
})

describe('time', () => {
  it.each([2 ** 31, 30 * 24 * 3_600_000, Number.POSITIVE_INFINITY])(
    'bentocache#61, keyv: a ttl of %d ms is neither 1 ms nor an error',
    async (ttl) => {
      const clock = new FakeClock(1000)
      const { cache } = testCache({ clock, ttl, l2: memory() })
      await cache.set('key', 'value')
      await clock.advance('20d')
      expect(await cache.get('key')).toBe('value')
    },
  )

  it('keyv#2070: nothing keeps the process alive after close', async () => {
    const { cache, clock } = testCache({ l2: memory() })
    await cache.set('key', 'value')
    await cache.close()
    expect(clock.pending).toBe(0)
  })
})
