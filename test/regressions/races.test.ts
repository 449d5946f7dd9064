import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { HeldOrigin, settle, testCache, twoProcesses, withoutBus } from './fixture.ts'

// Races that FusionCache, HybridCache, Caffeine, layered-loader and lru-cache have or had.

type Loading = {
  fn: (() => Promise<string>) & { invalidate(): Promise<unknown>; clear(): Promise<unknown> }
  cache: ReturnType<typeof testCache>['cache']
}

const WAYS: Record<string, (loading: Loading) => Promise<unknown>> = {
  'invalidate()': ({ fn }) => fn.invalidate(),
  'clear()': ({ fn }) => fn.clear(),
  'clear() of the cache': ({ cache }) => cache.clear(),
  'invalidateTag()': ({ cache }) => cache.invalidateTag('tag'),
  'expireTag()': ({ cache }) => cache.expireTag('tag'),
}

describe.each(Object.entries(WAYS))('FusionCache#535, #625, #628: %s during a load', (_, act) => {
  it.each([true, false])('stores nothing old (L2: %s)', async (withL2) => {
    const { cache } = testCache({ l2: withL2 && memory() })
    const origin = new HeldOrigin<string>()
    const fn = cache.cached(origin.load, { name: 'fn', tags: () => ['tag'] })
    const loading = fn()
    await settle()
    await act({ fn, cache })
    await origin.answer('old')
    expect(await loading).toBe('old')
    const again = fn()
    await settle()
    await origin.answer('new')
    expect(await again).toBe('new')
    expect(await fn()).toBe('new')
  })

  it('stores nothing old in another process', async () => {
    const { a, b } = twoProcesses()
    const origin = new HeldOrigin<string>()
    const options = { name: 'fn', tags: () => ['tag'] }
    const fn = a.cached(origin.load, options)
    const loading = fn()
    await settle()
    await act({ fn: b.cached(async () => 'new', options), cache: b })
    await settle()
    await origin.answer('old')
    expect(await loading).toBe('old')
    const again = fn()
    await settle()
    await origin.answer('new')
    expect(await again).toBe('new')
  })
})

describe('FusionCache', () => {
  it('#625: a refresh in the background does not bring back what was removed', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h' })
    const origin = new HeldOrigin<string>()
    const fn = cache.cached(origin.load)
    const first = fn()
    await settle()
    await origin.answer('old')
    await first
    await clock.advance('2s')
    expect(await fn()).toBe('old')
    await fn.invalidate()
    await origin.answer('old again')
    expect(fn.peek()).toBeUndefined()
  })

  it('#613: a read of L2 under way does not put an old copy into L1', async () => {
    const { a, b } = twoProcesses()
    await a.set('key', 'old')
    const reading = b.get('key')
    await b.set('key', 'new')
    await reading
    expect(await b.get('key')).toBe('new')
  })

  it('#613: nor does it when the new value was loaded, not set', async () => {
    const { a, b } = twoProcesses()
    await a.set('key', 'old')
    const [old, loaded] = [b.get('key'), b.getOrSet('key', () => 'never asked for')]
    expect(await Promise.all([old, loaded])).toEqual(['old', 'old'])
    await a.set('key', 'new')
    await settle()
    expect(await b.get('key')).toBe('new')
  })

  it('#648: a failing origin after a clear() does not bring back what was cleared', async () => {
    const { a, b, clock } = twoProcesses({ ttl: '1s', grace: '1h' })
    const options = { name: 'fn' }
    await a.cached(async () => 'old', options)()
    await settle()
    await clock.advance('2s')
    await a.clear()
    await settle()
    const failing = b.cached(() => Promise.reject(new Error('down')), options)
    await expect(failing()).rejects.toThrow('down')
  })

  it('#442: messages about keys that nobody asks for here cause no reads of L2', async () => {
    const counted = chaosStore(memory())
    const { a, b } = twoProcesses({ l2: counted })
    await Promise.all(Array.from({ length: 20 }, (_, i) => a.set(i, i)))
    await Promise.all(Array.from({ length: 20 }, (_, i) => b.get(i)))
    const before = counted.counts.operations
    await Promise.all(Array.from({ length: 20 }, (_, i) => a.set(i, -i)))
    await settle()
    expect(counted.counts.operations - before).toBe(2 * 20)
    expect(await b.get(7)).toBe(-7)
  })
})

describe('HybridCache', () => {
  it('#7411: another process sees each invalidation of one tag, not only the first', async () => {
    const { a, b, clock } = twoProcesses({ l1: { ttl: '1s' }, l2: withoutBus(memory()) })
    let version = 0
    const options = { name: 'fn', tags: () => ['tag'] }
    const fn = b.cached(async () => ++version, options)
    expect(await fn()).toBe(1)
    for (const expected of [2, 3, 4]) {
      await a.invalidateTag('tag')
      await clock.advance('1s')
      expect(await fn()).toBe(expected)
      await settle()
    }
  })

  it('#5517: a write of one process is seen by the others before their ttl ends', async () => {
    const { a, b } = twoProcesses()
    await a.set('key', 'old')
    expect(await b.get('key')).toBe('old')
    await a.set('key', 'new')
    await settle()
    expect(await b.get('key')).toBe('new')
  })
})

describe('Caffeine', () => {
  it('#175, #373: a refresh that never ends does not keep the key from being refreshed', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h', hardTimeout: '5s' })
    let calls = 0
    const fn = cache.cached(() => {
      calls++
      return calls === 2 ? new Promise<string>(() => {}) : Promise.resolve(`v${calls}`)
    })
    expect(await fn()).toBe('v1')
    await clock.advance('2s')
    expect(await fn()).toBe('v1')
    await clock.advance('11s')
    expect(await fn()).toBe('v1')
    await settle()
    expect(await fn()).toBe('v3')
  })

  it('#699: an expired value is served when the origin fails', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h', softTimeout: '100ms' })
    let fails = false
    const fn = cache.cached(async () => {
      if (fails) throw new Error('down')
      return 'value'
    })
    await fn()
    fails = true
    await clock.advance('2s')
    expect(await fn.detail()).toMatchObject({ value: 'value', outcome: 'stale-error' })
  })
})

describe('lru-cache', () => {
  it('#389: a background load does not lose the value of one that was asked for later', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h' })
    const origin = new HeldOrigin<string>()
    const fn = cache.cached(origin.load)
    const first = fn()
    await settle()
    await origin.answer('v1')
    await first
    await clock.advance('2s')
    expect(await fn()).toBe('v1')
    const refreshed = fn.refresh()
    await settle()
    await origin.answer('v2, of the background')
    await origin.answer('v3, asked for')
    expect(await refreshed).toBe('v3, asked for')
    expect(await fn()).toBe('v3, asked for')
  })

  it('#263, #233: one caller that aborts does not take the value from the others', async () => {
    const { cache } = testCache()
    const origin = new HeldOrigin<string>()
    const fn = cache.cached(origin.load)
    const controller = new AbortController()
    const aborted = fn
      .with({ signal: controller.signal })()
      .catch((error: unknown) => error)
    const patient = fn()
    controller.abort()
    expect(await aborted).toMatchObject({ code: 'ERR_ABORTED' })
    await origin.answer('value')
    expect(await patient).toBe('value')
    expect(origin.calls).toBe(1)
  })

  it('#320: eviction does not end a load under way', async () => {
    const { cache } = testCache({ l1: { maxEntries: 1 } })
    const origin = new HeldOrigin<string>()
    const fn = cache.cached(origin.load)
    const loading = fn()
    for (let i = 0; i < 10; i++) await cache.set(i, i)
    await origin.answer('value')
    expect(await loading).toBe('value')
  })

  it('allowStaleOnFetchRejection: a failing origin is not called for every stale read', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h' })
    let calls = 0
    const fn = cache.cached(async () => {
      if (++calls > 1) throw new Error('down')
      return 'value'
    })
    await fn()
    await clock.advance('2s')
    for (let i = 0; i < 5; i++) {
      await fn()
      await settle()
    }
    expect(calls).toBe(2)
  })
})

describe('async-cache-dedupe', () => {
  it('#164: callers during the load of a stale value share it', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h', softTimeout: '1s' })
    const origin = new HeldOrigin<number>()
    const fn = cache.cached(origin.load)
    const first = fn()
    await settle()
    await origin.answer(1)
    await first
    await clock.advance('2s')
    const calls = Promise.all([fn(), fn(), fn()])
    await settle()
    await origin.answer(2)
    expect(await calls).toEqual([2, 2, 2])
    expect(origin.calls).toBe(2)
  })

  it('#197: stale reads start one refresh, not one each', async () => {
    const { cache, clock } = testCache({ ttl: '1s', grace: '1h', l2: memory() })
    const origin = new HeldOrigin<number>()
    const fn = cache.cached(origin.load, { name: 'fn' })
    const first = fn()
    await settle()
    await origin.answer(1)
    await first
    await clock.advance('2s')
    await Promise.all(Array.from({ length: 20 }, () => fn()))
    await settle()
    expect(origin.calls).toBe(2)
  })

  it('a failing refresh does not remove the stored value', async () => {
    const { cache } = testCache({ l2: memory() })
    let fails = false
    const fn = cache.cached(
      async () => {
        if (fails) throw new Error('down')
        return 'value'
      },
      { name: 'fn' },
    )
    await fn()
    await settle()
    fails = true
    await expect(fn.refresh()).rejects.toThrow('down')
    expect(await fn()).toBe('value')
  })
})
