import Keyv from 'keyv'
import { describe, expect, it } from 'vitest'
import { asKeyvStore, type CacheLike } from '../../src/keyv.ts'

/** A cache as far as the bridge knows one. */
class MapCache implements CacheLike {
  readonly map = new Map<string, unknown>()
  readonly ttls = new Map<string, number>()

  async get(key: string) {
    return this.map.get(key)
  }

  async getMany(keys: string[]) {
    return keys.map((key) => this.map.get(key))
  }

  async set(key: string, value: unknown, { ttl }: { ttl: number }) {
    this.map.set(key, value)
    this.ttls.set(key, ttl)
    return { durable: true }
  }

  async delete(key: string) {
    this.map.delete(key)
    return { durable: true }
  }

  async clear() {
    this.map.clear()
  }
}

describe('asKeyvStore', () => {
  it('carries every value of a Keyv, and tells a missing one', async () => {
    const keyv = new Keyv({ store: asKeyvStore(new MapCache()) })
    const values: Record<string, unknown> = {
      text: 'x',
      zero: 0,
      no: false,
      nothing: null,
      object: { a: [1] },
    }
    for (const [key, value] of Object.entries(values)) await keyv.set(key, value)
    for (const [key, value] of Object.entries(values)) {
      expect(await keyv.get(key)).toEqual(value)
      expect(await keyv.has(key)).toBe(true)
    }
    expect(await keyv.get('missing')).toBeUndefined()
    expect(await keyv.has('missing')).toBe(false)
  })

  it('tells a stored undefined from a missing entry', async () => {
    const store = asKeyvStore(new MapCache())
    await store.set('k', undefined)
    expect(await store.has('k')).toBe(true)
    expect(await store.get('k')).toBeUndefined()
    expect(await store.delete('k')).toBe(true)
    expect(await store.has('k')).toBe(false)
    expect(await store.delete('k')).toBe(false)
  })

  it('reads, writes and deletes many', async () => {
    const keyv = new Keyv({ store: asKeyvStore(new MapCache()), namespace: 'n' })
    expect(
      await keyv.setMany([
        { key: 'a', value: 1 },
        { key: 'b', value: 2 },
      ]),
    ).toEqual([true, true])
    expect(await keyv.getMany(['a', 'missing', 'b'])).toEqual([1, undefined, 2])
    expect(await keyv.hasMany(['a', 'missing'])).toEqual([true, false])
    expect(await keyv.deleteMany(['a', 'b'])).toEqual([true, true])
    expect(await keyv.getMany(['a', 'b'])).toEqual([undefined, undefined])
  })

  it('gives the cache the ttl in milliseconds, and none as Infinity', async () => {
    const cache = new MapCache()
    const keyv = new Keyv({ store: asKeyvStore(cache) })
    await keyv.set('bounded', 1, 5000)
    await keyv.set('endless', 1)
    const ttl = [...cache.ttls].find(([key]) => key.endsWith('bounded'))?.[1]
    expect(ttl).toBeGreaterThan(4000)
    expect(ttl).toBeLessThanOrEqual(5000)
    expect([...cache.ttls].find(([key]) => key.endsWith('endless'))?.[1]).toBe(Infinity)
  })

  it('keeps the namespaces of one cache apart, and clears one at a time', async () => {
    const cache = new MapCache()
    const users = new Keyv({ store: asKeyvStore(cache), namespace: 'users' })
    const posts = new Keyv({ store: asKeyvStore(cache), namespace: 'posts' })
    await users.set('1', 'user')
    await posts.set('1', 'post')
    expect(await users.get('1')).toBe('user')
    await users.clear()
    expect(await users.get('1')).toBeUndefined()
    expect(await posts.get('1')).toBe('post')
    await users.set('1', 'again')
    expect(await users.get('1')).toBe('again')
  })

  it('does not bring cleared entries back when the cache forgets the generation', async () => {
    const cache = new MapCache()
    const users = new Keyv({ store: asKeyvStore(cache), namespace: 'users' })
    await users.set('1', 'old')
    await users.clear()
    cache.map.delete('keyv-generation:users')
    expect(await users.get('1')).toBeUndefined()
  })

  it('loses none of the first writes of a namespace that start together', async () => {
    const keyv = new Keyv({ store: asKeyvStore(new MapCache()), namespace: 'n' })
    await Promise.all(['a', 'b', 'c'].map((key) => keyv.set(key, key)))
    expect(await keyv.getMany(['a', 'b', 'c'])).toEqual(['a', 'b', 'c'])
  })

  it('clears the whole cache without a namespace', async () => {
    const cache = new MapCache()
    cache.map.set('other', 1)
    await new Keyv({ store: asKeyvStore(cache) }).clear()
    expect(cache.map.size).toBe(0)
  })

  it('takes values of others in the cache for missing', async () => {
    const cache = new MapCache()
    cache.map.set('keyv:k', 'not boxed')
    expect(await asKeyvStore(cache).get('k')).toBeUndefined()
  })
})
