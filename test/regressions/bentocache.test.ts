import { describe, expect, it } from 'vitest'
import { isResilienceError } from '../../src/index.ts'
import { HeldOrigin, memory, settle, testCache, twoProcesses } from './fixture.ts'

// Defects of bentocache that must not be ours.

describe('values', () => {
  it('bentocache: a promoted entry can be read twice, with every codec and sharing', async () => {
    for (const values of ['share', 'freeze', 'clone'] as const) {
      const { a, b } = twoProcesses({ l1: { values } })
      await a.set('key', { list: [1] })
      for (let i = 0; i < 3; i++) expect(await b.get('key')).toEqual({ list: [1] })
    }
  })

  it('bentocache: a namespace shares values as its cache does', async () => {
    const { cache } = testCache({ l1: { values: 'freeze' } })
    const space = cache.namespace('space')
    await space.set('key', { list: [1] })
    expect(Object.isFrozen(await space.get('key'))).toBe(true)
  })

  it("bentocache: the caller's own array of tags is left as it is", async () => {
    const { cache } = testCache({ l2: memory() })
    const tags: string[] = ['a']
    await cache.set('key', 1, { tags })
    await cache.getOrSet(
      'other',
      (context) => {
        context.setTags(['b'])
        return 2
      },
      { tags },
    )
    expect(tags).toEqual(['a'])
  })

  it('bentocache#45: undefined is a value that can be cached', async () => {
    const { cache } = testCache()
    let calls = 0
    const fn = cache.cached(async () => {
      calls++
      return undefined
    })
    await fn()
    expect(await fn()).toBeUndefined()
    expect(calls).toBe(1)
  })
})

describe('failing origins', () => {
  it('bentocache: ten callers of a failing origin cost one call, and all get its error', async () => {
    const { cache } = testCache({ l2: memory() })
    const origin = new HeldOrigin<string>()
    const fn = cache.cached(origin.load, { name: 'fn' })
    const calls = Promise.allSettled(Array.from({ length: 10 }, () => fn()))
    await settle()
    const error = new Error('down')
    await origin.fail(error)
    for (const result of await calls) expect(result).toEqual({ status: 'rejected', reason: error })
    expect(origin.calls).toBe(1)
  })

  it('bentocache: the back-off counts from the failure, not from when the entry ended', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h', graceBackoff: '10s' })
    let calls = 0
    const fn = cache.cached(async () => {
      calls++
      if (calls > 1) throw new Error('down')
      return 'value'
    })
    await fn()
    await clock.advance('30m')
    for (let i = 0; i < 5; i++) {
      expect(await fn()).toBe('value')
      await settle()
    }
    expect(calls).toBe(2)
    await clock.advance('10s')
    expect(await fn()).toBe('value')
    await settle()
    expect(calls).toBe(3)
  })

  it('bentocache: the back-off holds for a value that only L2 had', async () => {
    const { a, b, clock } = twoProcesses({ ttl: '1s', grace: '1h', graceBackoff: '10s' })
    await a.cached(async () => 'value', { name: 'fn' })()
    await clock.advance('30m')
    let calls = 0
    const fn = b.cached(
      async (): Promise<string> => {
        calls++
        throw new Error('down')
      },
      { name: 'fn' },
    )
    for (let i = 0; i < 5; i++) {
      expect(await fn()).toBe('value')
      await settle()
    }
    expect(calls).toBe(1)
  })
})

describe('grace', () => {
  it('bentocache#103: with softTimeout 0 a stale value is served at once while another load runs', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h', l2: memory() })
    const origin = new HeldOrigin<string>()
    const fn = cache.cached(origin.load, { name: 'fn' })
    const first = fn()
    await settle()
    await origin.answer('old')
    await first
    await clock.advance('2s')
    const before = clock.now()
    expect(await fn()).toBe('old')
    await settle()
    expect(await fn()).toBe('old')
    expect(clock.now()).toBe(before)
    expect(origin.calls).toBe(2)
  })

  it('bentocache#71: what was invalidated by tag is not served in its grace', async () => {
    const { cache } = testCache({ grace: '1h', l2: memory() })
    let fails = false
    const fn = cache.cached(
      async () => {
        if (fails) throw new Error('down')
        return 'value'
      },
      { name: 'fn', tags: () => ['tag'] },
    )
    await fn()
    await settle()
    fails = true
    await cache.invalidateTag('tag')
    await expect(fn()).rejects.toThrow('down')
  })

  it('bentocache#63: what was expired by tag is served in its grace', async () => {
    const { cache } = testCache({ grace: '1h', l2: memory() })
    let fails = false
    const fn = cache.cached(
      async () => {
        if (fails) throw new Error('down')
        return 'value'
      },
      { name: 'fn', tags: () => ['tag'] },
    )
    await fn()
    await settle()
    fails = true
    await cache.expireTag('tag')
    expect(await fn.detail()).toMatchObject({ value: 'value', source: 'stale' })
  })

  it('bentocache: a grace shorter than the ttl does not shorten the ttl', async () => {
    const { cache, clock } = testCache({ ttl: '10s', grace: '1s', l2: memory() })
    await cache.set('key', 'value')
    await clock.advance('9s')
    expect(await cache.get('key')).toBe('value')
  })
})

describe('tags', () => {
  it('bentocache#83: an entry stored without a tag that the call declares now is not believed', async () => {
    const { a, b } = twoProcesses()
    await a.cached(async () => 'without', { name: 'fn' })()
    await settle()
    const tagged = b.cached(async () => 'with', { name: 'fn', tags: () => ['tag'] })
    expect(await tagged()).toBe('with')
    await settle()
    await a.invalidateTag('tag')
    expect(await b.cached(async () => 'new', { name: 'other' })()).toBe('new')
    await settle()
    expect(tagged.peek()).toBeUndefined()
  })

  it('bentocache: an invalidation by tag during a load is not lost', async () => {
    const { a, b } = twoProcesses()
    const origin = new HeldOrigin<string>()
    const fn = a.cached(origin.load, { name: 'fn', tags: () => ['tag'] })
    const loading = fn()
    await settle()
    await b.invalidateTag('tag')
    await settle()
    await origin.answer('old')
    expect(await loading).toBe('old')
    const again = fn()
    await settle()
    await origin.answer('new')
    expect(await again).toBe('new')
    expect(await b.cached(async () => 'not asked', { name: 'fn', tags: () => ['tag'] })()).toBe(
      'new',
    )
  })
})

describe('bulk', () => {
  it('bentocache#78: many keeps order and duplicates and loads only what is missing, at once', async () => {
    const { cache } = testCache({ l2: memory() })
    const batches: number[][] = []
    const fn = cache.cached(async (id: number) => id * 10, {
      name: 'fn',
      manyOrigin: async (lists: [id: number][]) => {
        batches.push(lists.map(([id]) => id))
        return lists.map(([id]) => id * 10)
      },
    })
    await fn(2)
    expect(await fn.many([[3], [2], [1], [3]])).toEqual([30, 20, 10, 30])
    expect(batches).toEqual([[3, 1]])
  })
})

describe('time-outs', () => {
  it('bentocache: hardTimeout holds although the origin never answers', async () => {
    const { cache, clock } = testCache({ hardTimeout: '500ms', l2: memory() })
    const fn = cache.cached(() => new Promise<string>(() => {}), { name: 'fn' })
    const call = fn().catch((error: unknown) => error)
    const before = clock.now()
    await clock.advance('500ms')
    expect(isResilienceError(await call, 'ERR_TIMEOUT')).toBe(true)
    expect(clock.now() - before).toBe(500)
  })
})
