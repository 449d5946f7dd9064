import { expect, it } from 'vitest'
import { createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { each, refusals, SECRET } from './refusals.ts'

const cache = createCache({ name: 'app', ttl: '1m', clock: new FakeClock(), l2: memory() })
const fn = cache.cached(async (id: unknown) => id, { name: 'f' })
const loose = fn as unknown as Record<string, (...args: unknown[]) => unknown>
const looseCache = cache as unknown as Record<string, (...args: unknown[]) => unknown>

it('getOrSet', async () => {
  const call = (options: unknown) => cache.getOrSet('k', () => 1, options as never)
  const option = (name: string, values: readonly unknown[]) =>
    each(name, values, (value) => call({ [name]: value }))
  expect(
    await refusals({
      'arguments in the wrong order': () => looseCache.getOrSet?.(() => 1, SECRET),
      'no origin': () => looseCache.getOrSet?.(SECRET),
      'an object as origin': () => looseCache.getOrSet?.('k', { ttl: 5 }),
      ...each('options', [null, SECRET, []], call),
      ...option('name', ['x']),
      ...option('key', [() => 1]),
      ...option('tag', [['t']]),
      ...option('context', [true]),
      ...option('ttl', ['5 minutes', -1]),
      ...option('tags', ['t', () => ['t'], [5], [null], null]),
      ...option('signal', [null, new AbortController()]),
      ...option('l1', ['no']),
    }),
  ).toMatchInlineSnapshot(`
    "
    arguments in the wrong order
        getOrSet(key, origin, options) takes a function as origin, got text
    no origin
        getOrSet(key, origin, options) takes a function as origin, got undefined
    an object as origin
        getOrSet(key, origin, options) takes a function as origin, got an object
    options: null
        getOrSet() takes an options object, got null
    options: "hunter2"
        getOrSet() takes an options object, got text
    options: []
        getOrSet() takes an options object, got an array
    name: "x"
        unknown option of getOrSet(): 'name'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, cacheIf, l1, l2, guard, schema, codec, tags, signal
    key: function
        unknown option of getOrSet(): 'key'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, cacheIf, l1, l2, guard, schema, codec, tags, signal
    tag: ["t"]
        unknown option of getOrSet(): 'tag'; did you mean 'tags'?
    context: true
        unknown option of getOrSet(): 'context'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, cacheIf, l1, l2, guard, schema, codec, tags, signal
    ttl: "5 minutes"
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got '5 minutes'
    ttl: -1
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got -1
    tags: "t"
        tags must be an array of text, got text
    tags: function
        tags must be an array of text, got a function
    tags: [5]
        tags must be an array of text, got a number in it
    tags: [null]
        tags must be an array of text, got null in it
    tags: null
        tags must be an array of text, got null
    signal: null
        signal must be an AbortSignal, got null
    signal: {}
        signal must be an AbortSignal, got an object
    l1: "no"
        l1 must be true or false, got 'no'
    "
  `)
})

it('set, get and tags', async () => {
  const set = (options: unknown) => cache.set('k', 1, options as never)
  expect(
    await refusals({
      ...each('set options', [null, SECRET, '5m'], set),
      'set grace': () => set({ grace: '1h' }),
      'set tll': () => set({ tll: '1h' }),
      'set ttl': () => set({ ttl: 'soon' }),
      'set tags': () => set({ tags: SECRET }),
      'fn.set without a list': () => loose.set?.(SECRET, 1),
      'fn.set ttl': () => loose.set?.([1], 1, { ttl: null }),
      'fn.set option': () => loose.set?.([1], 1, { tag: ['t'] }),
      'getMany without a list': () => looseCache.getMany?.(SECRET),
      'invalidateTag: a list': () => looseCache.invalidateTag?.(['t']),
      'invalidateTag: a number': () => looseCache.invalidateTag?.(42),
      'expireTag: undefined': () => looseCache.expireTag?.(undefined),
    }),
  ).toMatchInlineSnapshot(`
    "
    set options: null
        set() takes an options object, got null
    set options: "hunter2"
        set() takes an options object, got text
    set options: "5m"
        set() takes an options object, got text
    set grace
        unknown option of set(): 'grace'; known are ttl, tags
    set tll
        unknown option of set(): 'tll'; did you mean 'ttl'?
    set ttl
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'soon'
    set tags
        tags must be an array of text, got text
    fn.set without a list
        set() takes the arguments as an array: set([id], value)
    fn.set ttl
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got null
    fn.set option
        unknown option of set(): 'tag'; did you mean 'tags'?
    getMany without a list
        getMany() takes an array, got text
    invalidateTag: a list
        a tag must be text, got an array
    invalidateTag: a number
        a tag must be text, got a number
    expireTag: undefined
        a tag must be text, got undefined
    "
  `)
})

it('many, warm and with', async () => {
  expect(
    await refusals({
      'many: no lists': () => loose.many?.(SECRET),
      'many: lists of no lists': () => loose.many?.([1, 2]),
      'many: options null': () => loose.many?.([[1]], null),
      'many: name': () => loose.many?.([[1]], { settled: true }),
      'many: settle': () => loose.many?.([[1]], { settle: 'yes' }),
      'warm: no lists': () => loose.warm?.([1]),
      'warm: name': () => loose.warm?.([[1]], { concurency: 5 }),
      ...each('warm: concurrency', [0, -1, 1.5, Number.NaN, '5', null], (value) =>
        loose.warm?.([[1]], { concurrency: value }),
      ),
      'with: nothing': () => loose.with?.(),
      'with: the arguments': () => loose.with?.(SECRET),
      'with: maxage': () => loose.with?.({ maxage: 5 }),
      'with: maxAge': () => loose.with?.({ maxAge: 'fresh' }),
      'with: maxAge null': () => loose.with?.({ maxAge: null }),
      'with: reload': () => loose.with?.({ reload: 1 }),
      'with: signal': () => loose.with?.({ signal: {} }),
    }),
  ).toMatchInlineSnapshot(`
    "
    many: no lists
        many() takes a list of argument lists, e.g. [[1], [2]]
    many: lists of no lists
        many() takes a list of argument lists, e.g. [[1], [2]]
    many: options null
        many() takes an options object, got null
    many: name
        unknown option of many(): 'settled'; did you mean 'settle'?
    many: settle
        settle must be true or false, got 'yes'
    warm: no lists
        warm() takes a list of argument lists, e.g. [[1], [2]]
    warm: name
        unknown option of warm(): 'concurency'; did you mean 'concurrency'?
    warm: concurrency: 0
        concurrency must be a whole number ≥ 1, got 0
    warm: concurrency: -1
        concurrency must be a whole number ≥ 1, got -1
    warm: concurrency: 1.5
        concurrency must be a whole number ≥ 1, got 1.5
    warm: concurrency: "NaN"
        concurrency must be a whole number ≥ 1, got NaN
    warm: concurrency: "5"
        concurrency must be a whole number ≥ 1, got '5'
    warm: concurrency: null
        concurrency must be a whole number ≥ 1, got null
    with: nothing
        with() takes an options object, got undefined
    with: the arguments
        with() takes an options object, got text
    with: maxage
        unknown option of with(): 'maxage'; did you mean 'maxAge'?
    with: maxAge
        maxAge must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'fresh'
    with: maxAge null
        maxAge must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got null
    with: reload
        reload must be true or false, got 1
    with: signal
        signal must be an AbortSignal, got an object
    "
  `)
})

it('namespace, ready, close and on', async () => {
  expect(
    await refusals({
      ...each('namespace', ['', 5, null], (value) => cache.namespace(value)),
      'namespace: nothing': () => looseCache.namespace?.(),
      'namespace: options null': () => looseCache.namespace?.('a', null),
      'namespace: name': () => looseCache.namespace?.('a', { name: 'x' }),
      'namespace: l1': () => looseCache.namespace?.('a', { l1: false }),
      'namespace: ttl': () => looseCache.namespace?.('a', { ttl: () => 5 }),
      'namespace: grace': () => looseCache.namespace?.('a', { grace: '1 hour' }),
      'ready: timeout alone': () => looseCache.ready?.('5s'),
      'ready: name': () => looseCache.ready?.({ timeOut: '5s' }),
      'ready: timeout': () => looseCache.ready?.({ timeout: null }),
      'ready: strict': () => looseCache.ready?.({ strict: 'yes' }),
      'close: name': () => looseCache.close?.({ timeout: '5s' }),
      'close: deadline': () => looseCache.close?.({ deadline: 'soon' }),
      'on: name': () => looseCache.on?.('hits', () => {}),
      'on: no name': () => looseCache.on?.(undefined, () => {}),
      'on: no listener': () => looseCache.on?.('hit'),
      'on: not a listener': () => looseCache.on?.('hit', SECRET),
    }),
  ).toMatchInlineSnapshot(`
    "
    namespace: ""
        the name of a namespace must be text of 1 to 100 characters, got ''
    namespace: 5
        the name of a namespace must be text of 1 to 100 characters, got 5
    namespace: null
        the name of a namespace must be text of 1 to 100 characters, got null
    namespace: nothing
        the name of a namespace must be text of 1 to 100 characters, got undefined
    namespace: options null
        namespace() takes an options object, got null
    namespace: name
        unknown option of namespace(): 'name'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict
    namespace: l1
        unknown option of namespace(): 'l1'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict
    namespace: ttl
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got a function
    namespace: grace
        grace must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got '1 hour'
    ready: timeout alone
        ready() takes an options object, got text
    ready: name
        unknown option of ready(): 'timeOut'; did you mean 'timeout'?
    ready: timeout
        timeout must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got null
    ready: strict
        strict must be true or false, got 'yes'
    close: name
        unknown option of close(): 'timeout'; known are deadline
    close: deadline
        deadline must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'soon'
    on: name
        no such event: 'hits'; did you mean 'hit'?
    on: no name
        no such event: 'undefined'; known are hit, miss, stale, origin, llm, error, evict, invalidate, l2-state, gap, degraded
    on: no listener
        on(event, listener) takes a function
    on: not a listener
        the listener of on() must be a function, got text
    "
  `)
  expect(cache.health().status).toBe('ok')
})
