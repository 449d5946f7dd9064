import { describe, expect, it, vi } from 'vitest'
import { cached, createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { each, refusals, SECRET } from './refusals.ts'

const cache = createCache({ ttl: '1m', clock: new FakeClock() })
const origin = async (id: number) => id
const option = (name: string, values: readonly unknown[]) =>
  each(name, values, (value) => cache.cached(origin, { [name]: value }))

it('what is wrapped', async () => {
  const missing = {} as { load?: () => unknown }
  class Shop {}
  expect(
    await refusals({
      'an undefined function': () => cached(missing.load as never, { ttl: '1m' }),
      'an undefined function alone': () => cached(missing.load as never),
      null: () => cached(null as never),
      text: () => cached(SECRET as never, { ttl: '1m' }),
      'options twice': () => cached({ ttl: '1m' } as never, { ttl: '1m' }),
      'an array': () => cached([origin] as never),
      'a promise': () => cached(origin(1) as never, { ttl: '1m' }),
      'a class': () => cached(Shop as never),
      'a built-in class': () => cached(Map as never),
      'options null': () => cached(origin, null as never),
      'options text': () => cached(origin, SECRET as never),
      'nothing to wrap': () => cached({ ttl: '1m' })(missing.load as never),
    }),
  ).toMatchInlineSnapshot()
})

it('names of options', async () => {
  const named = (options: object) => () => cache.cached(origin, options)
  expect(
    await refusals({
      tll: named({ tll: '1m' }),
      tag: named({ tag: () => [] }),
      keys: named({ keys: () => 1 }),
      softTimeOut: named({ softTimeOut: 1 }),
      cacheIF: named({ cacheIF: () => true }),
      'key of the prototype': named({ constructor: 1 }),
      maxEntries: named({ maxEntries: 1 }),
      signal: named({ signal: AbortSignal.abort() }),
      'as a decorator': () => cache.cached({ tll: '1m' } as object),
    }),
  ).toMatchInlineSnapshot()
})

it('kinds of options, when wrapping', async () => {
  expect(
    await refusals({
      ...option('ttl', [-1, Number.NaN, '5 minutes', null]),
      ...option('name', ['', 5, null]),
      ...option('key', ['id', 5, null]),
      ...option('tags', [['t'], 't', null]),
      ...option('cacheIf', [true, null]),
      ...option('version', [null, true, Number.NaN, '\ud800']),
      ...option('l1', [null, 'no', {}]),
      ...option('l2', [null, 0, memory()].slice(0, 2)),
      'l2: a store': () => cache.cached(origin, { l2: memory() } as never),
      ...option('guard', [5, {}, null]),
      ...option('schema', [null, 5, {}]),
      ...option('codec', [null, 'json', { id: 'x', encode: () => 1 }]),
      ...option('manyOrigin', [null, []]),
      ...option('context', [null, 1]),
      ...option('scope', ['tenant', 'clas', null, 5]),
    }),
  ).toMatchInlineSnapshot()
})

it('what callbacks return is checked as well', async () => {
  const call = (options: object) => () => cache.cached(origin, options)(1)
  expect(
    await refusals({
      'tags: text': call({ tags: () => SECRET }),
      'tags: null': call({ tags: () => null }),
      'tags: a number in it': call({ tags: () => ['a', 5] }),
      'key: undefined': call({ key: () => undefined }),
      'key: a promise': call({ key: async () => 1 }),
    }),
  ).toMatchInlineSnapshot()
  expect(await cache.cached(origin, { tags: () => undefined as never })(1)).toBe(1)
})

it('no ttl anywhere', async () => {
  const bare = createCache({ name: 'bare' })
  expect(
    await refusals({
      'a function with a name': () => bare.cached(origin, { name: 'partner' })(1),
      'a function without': () => bare.cached(async () => 1)(),
      getOrSet: () => bare.getOrSet(SECRET, () => 1),
    }),
  ).toMatchInlineSnapshot()
})

describe('arguments that make no key', () => {
  class User {
    readonly password = SECRET
  }
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic

  it.each([
    ['a function', () => SECRET],
    ['a symbol', Symbol(SECRET)],
    ['a cycle', cyclic],
    ['an instance of a class', new User()],
    ['a promise', Promise.resolve(SECRET)],
    ['a WeakMap', new WeakMap()],
    ['one deep inside', { a: [{ b: new User() }] }],
  ])('%s', async (_, argument) => {
    const load = vi.fn(async (..._args: unknown[]) => 1)
    const fn = cache.cached(load)
    const expected = {
      code: 'ERR_UNCACHEABLE_KEY',
      retryable: false,
      message: expect.stringMatching(/key: \(\.\.\.args\)/),
    }
    for (const attempt of [
      () => fn(argument),
      () => fn('x', argument),
      () => fn.detail(argument),
      () => fn.refresh(argument),
      () => fn.invalidate(argument),
      () => fn.set([argument], 1),
      () => fn.many([[argument]]),
      () => cache.get(argument),
      () => cache.getOrSet(argument, () => 1),
    ]) {
      const error = await attempt().then(
        () => 'accepted',
        (reason: unknown) => reason,
      )
      expect(error).toMatchObject(expected)
      expect((error as Error).message).not.toContain(SECRET)
    }
    expect(load).not.toHaveBeenCalled()
    expect(await fn('good')).toBe(1)
  })

  it('may be cached with a key', async () => {
    const load = vi.fn(async (user: User) => user.password)
    const fn = cache.cached(load, { key: () => 'one' })
    await fn(new User())
    await fn(new User())
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('fail their own call of a batch only', async () => {
    const fn = cache.cached(async (id: unknown) => id)
    const settled = await fn.many([[1], [Symbol('x')], [2]], { settle: true })
    expect(settled).toMatchObject([
      { ok: true, value: 1 },
      { ok: false, error: { code: 'ERR_UNCACHEABLE_KEY' } },
      { ok: true, value: 2 },
    ])
  })
})
