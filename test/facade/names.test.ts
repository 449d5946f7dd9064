import { describe, expect, it, vi } from 'vitest'
import { createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const set = (options: Parameters<typeof createCache>[0] = {}) =>
  createCache({ clock: new FakeClock(), random: () => 0.5, jitter: 0, ttl: '1m', ...options })
const withL2 = (options: Parameters<typeof createCache>[0] = {}) =>
  set({ name: 'app', l2: memory(), ...options })

describe('names of functions', () => {
  it('are checked at first use, not when wrapping', async () => {
    const cache = set()
    const first = cache.cached(async (id: number) => id, { name: 'partner' })
    const second = cache.cached(async (id: number) => -id, { name: 'partner' })
    expect(await first(1)).toBe(1)
    await expect(second(1)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringMatching(/'partner' is alive in this cache already.*dispose\(\)/),
    })
    expect(await first(1)).toBe(1)
  })

  it('are taken by the first use whatever it is', () => {
    const cache = set()
    const taken = cache.cached((id: number) => id, { name: 'partner' })
    taken.stats()
    expect(() => cache.cached((id: number) => id, { name: 'partner' }).key(1)).toThrow(/alive/)
  })

  it('are freed by dispose, once', async () => {
    const cache = set()
    const first = cache.cached(async (id: number) => id, { name: 'partner' })
    const second = cache.cached(async (id: number) => -id, { name: 'partner' })
    await first(1)
    first.dispose()
    expect(await second(1)).toBe(-1)
    first.dispose()
    const third = cache.cached(async (id: number) => id, { name: 'partner' })
    await expect(third(1)).rejects.toThrow(/alive/)
  })

  it('belong to one cache object', async () => {
    const store = memory()
    const caches = [withL2({ l2: store }), withL2({ l2: store })]
    const origin = vi.fn(async (id: number) => id)
    for (const cache of caches) {
      expect(await cache.cached(origin, { name: 'partner' })(1)).toBe(1)
    }
    expect(origin).toHaveBeenCalledTimes(1)
  })

  it('are needed with an L2, those of functions and of the cache', async () => {
    const store = memory()
    await expect(withL2({ l2: store }).cached(async (id: number) => id)(1)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining('needs a name with an L2'),
    })
    const nameless = createCache({ l2: store, ttl: '1m' })
    await expect(nameless.cached(async (id: number) => id, { name: 'x' })(1)).rejects.toMatchObject(
      {
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining('createCache() needs a name with an L2'),
      },
    )
    await expect(nameless.get('k')).rejects.toThrow(/createCache\(\) needs a name/)
  })

  it('are not needed for what skips L2, nor without one', async () => {
    const nameless = createCache({ l2: memory(), ttl: '1m' })
    expect(await nameless.cached(async (id: number) => id, { l2: false })(1)).toBe(1)
    expect(await set().cached(async (id: number) => id)(1)).toBe(1)
  })

  it('of functions without one never meet, even where they look alike', async () => {
    const cache = set()
    const functions = [1, 2, 3].map((n) => cache.cached(async (id: number) => n * id))
    const named = cache.cached(async (id: number) => 4 * id, { name: 'anonymous' })
    expect(await Promise.all([...functions, named].map((fn) => fn(1)))).toEqual([1, 2, 3, 4])
    await functions[0]?.clear()
    expect([...functions, named].map((fn) => fn.peek(1))).toEqual([undefined, 2, 3, 4])
  })

  it('without one does not empty its namesake when it is cleared', async () => {
    const cache = set()
    const byId = {
      load: cache.cached(async function load(id: number) {
        return id
      }),
    }
    const answers = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
    let calls = 0
    const other = cache.cached(function load(_id: number) {
      return (answers[calls++] as PromiseWithResolvers<number>).promise
    })
    await byId.load(1)
    const pending = other(1)
    await byId.load.clear()
    answers[0]?.resolve(7)
    expect(await pending).toBe(7)
    expect(other.peek(1)).toBe(7)
  })

  it('become part of the key, with the version', () => {
    const cache = withL2()
    const key = (name: string, version?: string | number) => {
      const fn = cache.cached((id: number) => id, {
        name,
        ...(version === undefined ? {} : { version }),
      })
      const text = fn.key(1)
      fn.dispose()
      return text
    }
    expect(key('partner')).toBe('app:partner::~1')
    expect(key('partner', 2)).toBe('app:partner:v2::~1')
    expect(key('partner', 'b')).toBe('app:partner:vb::~1')
  })

  it.each([
    ['+a', '%2Ba'],
    ['%2Ba', '%252Ba'],
    ['a:v1', 'a'],
    ['a', 'a%3Av1'],
  ])('never share keys, however odd: %j and %j', (one, other) => {
    const cache = withL2()
    const keys = [
      cache.cached((id: number) => id, { name: one }).key(1),
      cache.cached((id: number) => id, { name: other, version: 1 }).key(1),
      cache
        .namespace('ns')
        .cached((id: number) => id, { name: one })
        .key(1),
    ]
    expect(new Set(keys).size).toBe(3)
  })

  it('never share what clear() empties, however odd', async () => {
    const store = memory()
    const open = () => {
      const cache = withL2({ l2: store })
      return {
        versioned: cache.cached(async (id: number) => id, { name: 'a', version: 1 }),
        plain: cache.cached(async (id: number) => id, { name: 'a:v1' }),
      }
    }
    const here = open()
    await here.versioned(1)
    await here.plain(1)
    await here.plain.clear()
    const there = open()
    expect((await there.versioned.detail(1)).source).toBe('l2')
    expect((await there.plain.detail(1)).source).toBe('origin')
  })
})

describe('version', () => {
  it('makes older entries not found', async () => {
    const store = memory()
    const origin = vi.fn(async (id: number) => ({ id }))
    await withL2({ l2: store }).cached(origin, { name: 'p', version: 1 })(1)
    await withL2({ l2: store }).cached(origin, { name: 'p', version: 2 })(1)
    expect(origin).toHaveBeenCalledTimes(2)
    await withL2({ l2: store }).cached(origin, { name: 'p', version: 1 })(1)
    expect(origin).toHaveBeenCalledTimes(2)
  })
})

describe('dispose', () => {
  it('ends the function with ERR_CLOSED', async () => {
    const fn = set().cached(async (id: number) => id, { name: 'p' })
    await fn(1)
    fn.dispose()
    await expect(fn(1)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(() => fn.peek(1)).toThrow(/disposed/)
  })

  it('gives the room in L1 back', async () => {
    const cache = set()
    const fn = cache.cached(async (id: number) => id, { name: 'p' })
    await fn(1)
    expect(cache.health().l1.entries).toBe(1)
    fn.dispose()
    expect(cache.health().l1).toMatchObject({ entries: 0, bytes: 0 })
  })

  it('of a function that was never used makes no use of it', async () => {
    const fn = set().cached(async (id: number) => id)
    fn.dispose()
    await expect(fn(1)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

describe('the key option', () => {
  it('replaces the arguments in the key', async () => {
    const origin = vi.fn(async (user: { id: number; seen: Date }) => user.id)
    const fn = set().cached(origin, { key: (user) => user.id })
    await fn({ id: 1, seen: new Date(1) })
    await fn({ id: 1, seen: new Date(2) })
    await fn({ id: 2, seen: new Date(2) })
    expect(origin).toHaveBeenCalledTimes(2)
  })

  it('may be anything an argument may be, and keeps types apart', async () => {
    const origin = vi.fn(async (value: unknown) => value)
    const fn = set().cached(origin, { key: (value) => value })
    for (const value of [1, '1', [1], { a: 1 }, null, 1n]) expect(await fn(value)).toBe(value)
    expect(origin).toHaveBeenCalledTimes(6)
  })

  it('must not return undefined: that would be one key for all calls', async () => {
    const fn = set().cached(async (user: { id: number }) => user.id, {
      key: (user) => (user as unknown as { ID?: number }).ID,
    })
    await expect(fn({ id: 1 })).rejects.toMatchObject({
      code: 'ERR_UNCACHEABLE_KEY',
      message: expect.stringContaining('returned undefined'),
    })
  })

  it('must not be async', async () => {
    const fn = set().cached(async (id: number) => id, { key: async (id) => id })
    await expect(fn(1)).rejects.toMatchObject({ code: 'ERR_UNCACHEABLE_KEY' })
  })
})
