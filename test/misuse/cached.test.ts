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
  ).toMatchInlineSnapshot(`
    "
    an undefined function
        cached(fn, options) wraps a function and @cached(options) decorates a method; it was called with undefined and an object
    an undefined function alone
        cached(fn, options) wraps a function and @cached(options) decorates a method; it was called with undefined
    null
        cached(fn, options) wraps a function and @cached(options) decorates a method; it was called with null
    text
        cached(fn, options) wraps a function and @cached(options) decorates a method; it was called with text and an object
    options twice
        cached(fn, options) wraps a function and @cached(options) decorates a method; it was called with an object and an object
    an array
        cached(fn, options) wraps a function and @cached(options) decorates a method; it was called with an array
    a promise
        cached(fn, options) wraps a function and @cached(options) decorates a method; it was called with an object and an object
    a class
        cached wraps functions and methods, not classes; 'Shop' is one: decorate its methods, or wrap a function that makes an instance
    a built-in class
        cached wraps functions and methods, not classes; 'Map' is one: decorate its methods, or wrap a function that makes an instance
    options null
        cached() takes an options object, got null
    options text
        cached() takes an options object, got text
    nothing to wrap
        @cached(options) decorates a method and cached(options)(fn) wraps a function; it was called with undefined
    "
  `)
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
  ).toMatchInlineSnapshot(`
    "
    tll
        unknown option of cached(): 'tll'; did you mean 'ttl'?
    tag
        unknown option of cached(): 'tag'; did you mean 'tags'?
    keys
        unknown option of cached(): 'keys'; did you mean 'key'?
    softTimeOut
        unknown option of cached(): 'softTimeOut'; did you mean 'softTimeout'?
    cacheIF
        unknown option of cached(): 'cacheIF'; did you mean 'cacheIf'?
    key of the prototype
        unknown option of cached(): 'constructor'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, cacheIf, l1, l2, guard, schema, codec, tags, name, key, version, manyOrigin, scope, context, llm
    maxEntries
        unknown option of cached(): 'maxEntries'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, cacheIf, l1, l2, guard, schema, codec, tags, name, key, version, manyOrigin, scope, context, llm
    signal
        unknown option of cached(): 'signal'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, cacheIf, l1, l2, guard, schema, codec, tags, name, key, version, manyOrigin, scope, context, llm
    as a decorator
        unknown option of cached(): 'tll'; did you mean 'ttl'?
    "
  `)
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
      ...option('guard', [5, { retrys: {} }, { retry: { attempts: 0 } }, null]),
      ...option('schema', [null, 5, {}]),
      ...option('codec', [null, 'json', { id: 'x', encode: () => 1 }]),
      ...option('manyOrigin', [null, []]),
      ...option('context', [null, 1]),
      ...option('scope', ['tenant', 'clas', null, 5]),
    }),
  ).toMatchInlineSnapshot(`
    "
    ttl: -1
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got -1
    ttl: "NaN"
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got NaN
    ttl: "5 minutes"
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got '5 minutes'
    ttl: null
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got null
    name: ""
        name must be text of 1 to 100 characters, got ''
    name: 5
        name must be text of 1 to 100 characters, got 5
    name: null
        name must be text of 1 to 100 characters, got null
    key: "id"
        key must be a function, got text
    key: 5
        key must be a function, got a number
    key: null
        key must be a function, got null
    tags: ["t"]
        tags must be a function, got an array
    tags: "t"
        tags must be a function, got text
    tags: null
        tags must be a function, got null
    cacheIf: true
        cacheIf must be a function, got true
    cacheIf: null
        cacheIf must be a function, got null
    version: null
        version must be text or a number, got null
    version: true
        version must be text or a number, got true
    version: "NaN"
        version must be text or a number, got NaN
    version: "\\ud800"
        version must be text or a number, got text with half a surrogate pair
    l1: null
        l1 must be true or false, got null
    l1: "no"
        l1 must be true or false, got 'no'
    l1: {}
        l1 must be true or false, got an object
    l2: null
        l2 must be true or false, got null
    l2: 0
        l2 must be true or false, got 0
    l2: a store
        l2 must be true or false, got an object
    guard: 5
        guard must be a guard, its options or a limiter such as pLimit(5), got a number
    guard: {"retrys":{}}
        unknown option of guard(): 'retrys'; did you mean 'retry'?
    guard: {"retry":{"attempts":0}}
        retry.attempts counts all calls, the first included: it must be ≥ 1, got 0
    guard: null
        guard must be a guard, its options or a limiter such as pLimit(5), got null
    schema: null
        schema must be a Standard Schema such as z.object({ … }), got null
    schema: 5
        schema must be a Standard Schema such as z.object({ … }), got a number
    schema: {}
        schema must be a Standard Schema such as z.object({ … }), got an object without ~standard
    codec: null
        codec must be { id, encode, decode }, got null
    codec: "json"
        codec must be { id, encode, decode }, got text
    codec: {"id":"x"}
        codec must be { id, encode, decode }, got an object without decode
    manyOrigin: null
        manyOrigin must be a function, got null
    manyOrigin: []
        manyOrigin must be a function, got an array
    context: null
        context must be true or false, got null
    context: 1
        context must be true or false, got 1
    scope: "tenant"
        scope has no such choice: 'tenant'; known are instance, class
    scope: "clas"
        scope has no such choice: 'clas'; did you mean 'class'?
    scope: null
        scope must be 'instance', 'class' or a function such as (self) => self.tenant, got null
    scope: 5
        scope must be 'instance', 'class' or a function such as (self) => self.tenant, got a number
    "
  `)
})

it('scope of a plain function', async () => {
  function byId(this: { tenant: string }, id: number) {
    return `${this.tenant} ${id}`
  }
  const scopes = ['instance', 'class', (self: { tenant: string }) => self.tenant]
  expect(
    await refusals({
      ...each('scope', scopes, (scope) => cache.cached(byId, { scope } as object)),
      'as a wrapper': () => cache.cached({ scope: 'class' })(origin),
      'without a name': () => cached(() => 1, { ttl: '1m', scope: 'class' } as object),
    }),
  ).toMatchInlineSnapshot(`
    "
    scope: "instance"
        scope is for decorated methods, and 'byId' is a plain function: leave it out, and say with key what tells its calls apart
    scope: "class"
        scope is for decorated methods, and 'byId' is a plain function: leave it out, and say with key what tells its calls apart
    scope: function
        scope is for decorated methods, and 'byId' is a plain function: leave it out, and say with key what tells its calls apart
    as a wrapper
        scope is for decorated methods, and 'origin' is a plain function: leave it out, and say with key what tells its calls apart
    without a name
        scope is for decorated methods, and 'anonymous' is a plain function: leave it out, and say with key what tells its calls apart
    "
  `)
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
  ).toMatchInlineSnapshot(`
    "
    tags: text
        what the tags function of 'origin' returns must be an array of text, got text
    tags: null
        what the tags function of 'origin' returns must be an array of text, got null
    tags: a number in it
        what the tags function of 'origin' returns must be an array of text, got a number in it
    key: undefined
        ERR_UNCACHEABLE_KEY: key of 'origin' returned undefined, which would be one key for all calls; return what tells them apart, or a constant if nothing does
    key: a promise
        ERR_UNCACHEABLE_KEY: The arguments hold an instance of Promise, which cannot be told apart by its contents. Give the option key: (...args) => string, or pass plain data.
    "
  `)
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
  ).toMatchInlineSnapshot(`
    "
    a function with a name
        ttl is missing for 'partner': give it there, or to createCache() for all that name no other
    a function without
        ttl is missing for 'anonymous': give it there, or to createCache() for all that name no other
    getOrSet
        ttl is missing for getOrSet(): give it there, or to createCache() for all that name no other
    "
  `)
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
