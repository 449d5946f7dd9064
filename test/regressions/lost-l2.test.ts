import { describe, expect, it } from 'vitest'
import { memory } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { FakeClock, settle, testCache, twoProcesses } from './fixture.ts'

// cacheable#1202, keyv#1679 and their like: a dead or frozen L2 stalls the application.

describe.each(['throws', 'hangs', 'late'] as const)(
  'cacheable#1202: with an L2 that %s',
  (fault) => {
    it('no call of a new key waits for more than one deadline, and none once the breaker is open', async () => {
      const { cache, clock } = testCache({ l2: chaosStore(memory(), { [fault]: 1 }) })
      const fn = cache.cached(async (id: number) => id, { name: 'fn' })
      const waits: number[] = []
      for (let i = 0; i < 10; i++) {
        const startedAt = clock.now()
        const call = fn(i).then(() => waits.push(clock.now() - startedAt))
        await clock.advance(60)
        await call
      }
      expect(Math.max(...waits)).toBeLessThanOrEqual(50)
      expect(waits.slice(5)).toEqual([0, 0, 0, 0, 0])
    })

    it('writes resolve and say that they are not durable', async () => {
      const { cache, clock } = testCache({ l2: chaosStore(memory(), { [fault]: 1 }) })
      const writes = [
        cache.set('key', 1),
        cache.delete('key'),
        cache.invalidateTag('tag'),
        cache.expireTag('tag'),
        cache.clear(),
      ]
      await clock.advance('1s')
      for (const write of writes) expect(await write).toEqual({ durable: false })
    })
  },
)

describe('keyv#1679: when L2 is back', () => {
  it('it is used again, and what was invalidated meanwhile is not served from it', async () => {
    const clock = new FakeClock(1000)
    const chaos = chaosStore(memory())
    const { cache } = testCache({ clock, l2: chaos, l1: false })
    let version = 0
    const fn = cache.cached(async () => ++version, { name: 'fn', tags: () => ['tag'] })
    expect(await fn()).toBe(1)
    await settle()
    expect(await fn()).toBe(1)
    chaos.set({ throws: 1 })
    expect(await cache.invalidateTag('tag')).toEqual({ durable: false })
    chaos.set({ throws: 0 })
    expect(await fn()).toBe(2)
    await clock.advance('10s')
    expect(cache.health().status).toBe('ok')
    expect(await fn()).toBe(3)
    await settle()
    expect(await fn()).toBe(3)
  })

  it('a hard invalidation that failed is not forgotten when a soft one of its tag succeeds', async () => {
    const clock = new FakeClock(1000)
    const chaos = chaosStore(memory())
    const { cache } = testCache({ clock, l2: chaos, l1: false, grace: '1h' })
    let fails = false
    const fn = cache.cached(
      async () => {
        if (fails) throw new Error('down')
        return 'old'
      },
      { name: 'fn', tags: () => ['tag'] },
    )
    await fn()
    await settle()
    fails = true
    chaos.set({ throws: 1 })
    await cache.invalidateTag('tag')
    chaos.set({ throws: 0 })
    expect(await cache.expireTag('tag')).toEqual({ durable: true })
    await expect(fn()).rejects.toThrow('down')
    await clock.advance('10s')
    await expect(fn()).rejects.toThrow('down')
  })

  it('a copy served while L2 could not be asked is compared with it soon after', async () => {
    const clock = new FakeClock(1000)
    const chaos = chaosStore(memory())
    const { cache } = testCache({ clock, l2: chaos, l1: { ttl: '30s' }, ttl: '1h' })
    await cache.cached(async () => 'value', { name: 'fn' })()
    const fn = cache.cached(async () => 'again', { name: 'other' })
    await fn()
    await clock.advance('31s')
    chaos.set({ throws: 1 })
    expect(await fn.detail()).toMatchObject({ outcome: 'degraded' })
    chaos.set({ throws: 0 })
    await clock.advance('1s')
    expect(await fn.detail()).toMatchObject({ outcome: 'revalidated' })
  })

  it('a store that lost its data is not taken for one that still has it', async () => {
    const store = memory()
    const { a, b } = twoProcesses({ l2: store })
    const options = { name: 'fn', tags: () => ['tag'] }
    let version = 0
    const here = a.cached(async () => ++version, options)
    const there = b.cached(async () => ++version, options)
    expect(await here()).toBe(1)
    await settle()
    store.lose()
    expect(await there()).toBe(2)
    await settle()
    expect(await there()).toBe(2)
  })
})

describe('cacheable#51: a write and a removal of one key, neither awaited,', () => {
  it('reach L2 in the order in which they were made', async () => {
    const { a, b } = twoProcesses()
    await Promise.all([a.set('key', 'old'), a.delete('key')])
    expect(await a.get('key')).toBeUndefined()
    expect(await b.get('key')).toBeUndefined()
    await Promise.all([a.set('key', 'x'.repeat(100_000)), a.set('key', 'small')])
    expect(await b.get('key')).toBe('small')
  })
})
