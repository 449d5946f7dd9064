import { expect, it } from 'vitest'
import { createCache, memory } from '../../src/index.ts'
import { each, refusals, SECRET } from './refusals.ts'

const create = (options: unknown) => () => createCache(options as never)
const option = (name: string, values: readonly unknown[]) =>
  each(name, values, (value) => createCache({ [name]: value }))
const inL1 = (name: string, values: readonly unknown[]) =>
  each(`l1.${name}`, values, (value) => createCache({ l1: { [name]: value } }))
const inCompression = (name: string, values: readonly unknown[]) =>
  each(`compression.${name}`, values, (value) => createCache({ compression: { [name]: value } }))

const BAD_DURATIONS = [-1, Number.NaN, '5 minutes', true, null, []]

it('names of options: the nearest right one is named', async () => {
  expect(
    await refusals({
      tll: create({ tll: '5m' }),
      TTL: create({ TTL: '5m' }),
      staleTtl: create({ staleTtl: '5m' }),
      refreshahead: create({ refreshahead: 0.5 }),
      L1: create({ L1: false }),
      redis: create({ redis: {} }),
      timeout: create({ timeout: '5s' }),
      'l1.maxEntry': create({ l1: { maxEntry: 5 } }),
      'l1.max': create({ l1: { max: 5 } }),
      'compression.algo': create({ compression: { algorithms: 'gzip' } }),
    }),
  ).toMatchInlineSnapshot(`
    "
    tll
        unknown option of createCache(): 'tll'; did you mean 'ttl'?
    TTL
        unknown option of createCache(): 'TTL'; did you mean 'ttl'?
    staleTtl
        unknown option of createCache(): 'staleTtl'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, name, l1, l2, compression, maxLoads, metrics, clock, random
    refreshahead
        unknown option of createCache(): 'refreshahead'; did you mean 'refreshAhead'?
    L1
        unknown option of createCache(): 'L1'; did you mean 'l1'?
    redis
        unknown option of createCache(): 'redis'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, name, l1, l2, compression, maxLoads, metrics, clock, random
    timeout
        unknown option of createCache(): 'timeout'; known are ttl, grace, softTimeout, hardTimeout, completeInBackground, graceBackoff, jitter, refreshAhead, negativeTtl, errorTtl, strict, name, l1, l2, compression, maxLoads, metrics, clock, random
    l1.maxEntry
        unknown option of l1: 'maxEntry'; did you mean 'maxEntries'?
    l1.max
        unknown option of l1: 'max'; known are maxEntries, maxBytes, ttl, values
    compression.algo
        unknown option of compression: 'algorithms'; did you mean 'algorithm'?
    "
  `)
})

it('options that are no object', async () => {
  expect(
    await refusals({
      ...each('createCache', [null, SECRET, 5, []], (value) => createCache(value)),
      ...option('l1', [null, true, SECRET, []]),
      ...option('compression', [null, true, 'gzip']),
    }),
  ).toMatchInlineSnapshot(`
    "
    createCache: null
        createCache() takes an options object, got null
    createCache: "hunter2"
        createCache() takes an options object, got text
    createCache: 5
        createCache() takes an options object, got a number
    createCache: []
        createCache() takes an options object, got an array
    l1: null
        l1 must be an options object or false, got null
    l1: true
        l1 must be an options object or false, got true
    l1: "hunter2"
        l1 must be an options object or false, got text
    l1: []
        l1 must be an options object or false, got an array
    compression: null
        compression must be an options object or false, got null
    compression: true
        compression must be an options object or false, got true
    compression: "gzip"
        compression must be an options object or false, got text
    "
  `)
})

it('durations', async () => {
  expect(await refusals(option('ttl', [...BAD_DURATIONS, () => 5]))).toMatchInlineSnapshot(`
    "
    ttl: -1
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got -1
    ttl: "NaN"
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got NaN
    ttl: "5 minutes"
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got '5 minutes'
    ttl: true
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got true
    ttl: null
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got null
    ttl: []
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got an array
    ttl: function
        ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got a function
    "
  `)
  const others = ['grace', 'softTimeout', 'hardTimeout', 'graceBackoff', 'negativeTtl', 'errorTtl']
  for (const name of others) {
    for (const value of [...BAD_DURATIONS, () => 5]) {
      expect(() => createCache({ [name]: value })).toThrow(`${name} must be a duration: `)
    }
  }
})

it('the other options of freshness', async () => {
  expect(
    await refusals({
      ...option('jitter', [-0.1, 1.1, Number.NaN, '0.1', null]),
      ...option('refreshAhead', [true, 0, 2, Number.NaN, '0.9', null]),
      ...option('completeInBackground', [1, 'yes', null]),
      ...option('strict', [0, 'no', null]),
    }),
  ).toMatchInlineSnapshot(`
    "
    jitter: -0.1
        jitter must be a number from 0 to 1, got -0.1
    jitter: 1.1
        jitter must be a number from 0 to 1, got 1.1
    jitter: "NaN"
        jitter must be a number from 0 to 1, got NaN
    jitter: "0.1"
        jitter must be a number from 0 to 1, got '0.1'
    jitter: null
        jitter must be a number from 0 to 1, got null
    refreshAhead: true
        refreshAhead must be a number from 0.01 to 1, or false; got true
    refreshAhead: 0
        refreshAhead must be a number from 0.01 to 1, or false; got 0
    refreshAhead: 2
        refreshAhead must be a number from 0.01 to 1, or false; got 2
    refreshAhead: "NaN"
        refreshAhead must be a number from 0.01 to 1, or false; got NaN
    refreshAhead: "0.9"
        refreshAhead must be a number from 0.01 to 1, or false; got '0.9'
    refreshAhead: null
        refreshAhead must be a number from 0.01 to 1, or false; got null
    completeInBackground: 1
        completeInBackground must be true or false, got 1
    completeInBackground: "yes"
        completeInBackground must be true or false, got 'yes'
    completeInBackground: null
        completeInBackground must be true or false, got null
    strict: 0
        strict must be true or false, got 0
    strict: "no"
        strict must be true or false, got 'no'
    strict: null
        strict must be true or false, got null
    "
  `)
})

it('the parts it is made of', async () => {
  expect(
    await refusals({
      ...option('name', ['', 5, null, ['a']]),
      'name: too long': create({ name: 'x'.repeat(101) }),
      'name: half a character': create({ name: '\ud800' }),
      ...option('maxLoads', [0, -1, 1.5, Number.NaN, '5', null]),
      ...option('l2', [true, null, `redis://user:${SECRET}@host`, {}, () => memory()]),
      'l2: of another library': create({ l2: { open() {}, get() {}, set() {} } }),
      ...option('clock', [null, 5, Date, { now: () => 0 }]),
      ...option('metrics', [null, true, {}]),
      ...option('random', [5, null, SECRET]),
    }),
  ).toMatchInlineSnapshot(`
    "
    name: ""
        name must be text of 1 to 100 characters, got ''
    name: 5
        name must be text of 1 to 100 characters, got 5
    name: null
        name must be text of 1 to 100 characters, got null
    name: ["a"]
        name must be text of 1 to 100 characters, got an array
    name: too long
        name must be text of 1 to 100 characters, got 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
    name: half a character
        name must be text of 1 to 100 characters, got text with half a surrogate pair
    maxLoads: 0
        maxLoads must be a whole number ≥ 1, got 0
    maxLoads: -1
        maxLoads must be a whole number ≥ 1, got -1
    maxLoads: 1.5
        maxLoads must be a whole number ≥ 1, got 1.5
    maxLoads: "NaN"
        maxLoads must be a whole number ≥ 1, got NaN
    maxLoads: "5"
        maxLoads must be a whole number ≥ 1, got '5'
    maxLoads: null
        maxLoads must be a whole number ≥ 1, got null
    l2: true
        l2 must be a store such as sqlite({ path }), got true
    l2: null
        l2 must be a store such as sqlite({ path }), got null
    l2: "redis://user:hunter2@host"
        l2 must be a store such as sqlite({ path }), got text
    l2: {}
        l2 must be a store such as sqlite({ path }), got an object without open
    l2: function
        l2 must be a store such as sqlite({ path }), got a function without open
    l2: of another library
        l2 must be a store such as sqlite({ path }), got an object without source
    clock: null
        clock must be a clock such as new FakeClock(), got null
    clock: 5
        clock must be a clock such as new FakeClock(), got a number
    clock: function
        clock must be a clock such as new FakeClock(), got a function without wall
    clock: {}
        clock must be a clock such as new FakeClock(), got an object without wall
    metrics: null
        metrics must be an observer such as prometheus(), got null
    metrics: true
        metrics must be an observer such as prometheus(), got true
    metrics: {}
        metrics must be an observer such as prometheus(), got an object without observeCache
    random: 5
        random must be a function, got a number
    random: null
        random must be a function, got null
    random: "hunter2"
        random must be a function, got text
    "
  `)
})

it('l1 and compression', async () => {
  expect(
    await refusals({
      ...inL1('maxEntries', [0, -1, 1.5, Number.NaN, '10', null]),
      ...inL1('maxBytes', [0, -1, Number.NaN, '64', '64 megabytes', null]),
      ...inL1('ttl', [-1, '1 minute', null]),
      ...inL1('values', ['copy', 'freez', null, 5]),
      ...inCompression('algorithm', ['zip', 'brotly', null]),
      ...inCompression('threshold', [0, '16', null]),
    }),
  ).toMatchInlineSnapshot(`
    "
    l1.maxEntries: 0
        l1.maxEntries must be a whole number ≥ 1, got 0
    l1.maxEntries: -1
        l1.maxEntries must be a whole number ≥ 1, got -1
    l1.maxEntries: 1.5
        l1.maxEntries must be a whole number ≥ 1, got 1.5
    l1.maxEntries: "NaN"
        l1.maxEntries must be a whole number ≥ 1, got NaN
    l1.maxEntries: "10"
        l1.maxEntries must be a whole number ≥ 1, got '10'
    l1.maxEntries: null
        l1.maxEntries must be a whole number ≥ 1, got null
    l1.maxBytes: 0
        l1.maxBytes must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got 0
    l1.maxBytes: -1
        l1.maxBytes must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got -1
    l1.maxBytes: "NaN"
        l1.maxBytes must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got NaN
    l1.maxBytes: "64"
        l1.maxBytes must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got '64'
    l1.maxBytes: "64 megabytes"
        l1.maxBytes must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got '64 megabytes'
    l1.maxBytes: null
        l1.maxBytes must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got null
    l1.ttl: -1
        l1.ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got -1
    l1.ttl: "1 minute"
        l1.ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got '1 minute'
    l1.ttl: null
        l1.ttl must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got null
    l1.values: "copy"
        l1.values has no such choice: 'copy'; known are share, freeze, clone
    l1.values: "freez"
        l1.values has no such choice: 'freez'; did you mean 'freeze'?
    l1.values: null
        l1.values must be one of share, freeze, clone; got null
    l1.values: 5
        l1.values must be one of share, freeze, clone; got 5
    compression.algorithm: "zip"
        compression.algorithm has no such choice: 'zip'; did you mean 'gzip'?
    compression.algorithm: "brotly"
        compression.algorithm has no such choice: 'brotly'; did you mean 'brotli'?
    compression.algorithm: null
        compression.algorithm must be one of gzip, brotli, zstd; got null
    compression.threshold: 0
        compression.threshold must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got 0
    compression.threshold: "16"
        compression.threshold must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got '16'
    compression.threshold: null
        compression.threshold must be a size: bytes > 0 or text such as '64kb', '64mb', '1gb'; got null
    "
  `)
})

it('undefined is not given', () => {
  const options = Object.fromEntries(
    [
      'name',
      'ttl',
      'grace',
      'jitter',
      'refreshAhead',
      'strict',
      'l1',
      'l2',
      'compression',
      'maxLoads',
      'metrics',
      'clock',
      'random',
    ].map((name) => [name, undefined]),
  )
  expect(() => createCache(options as never)).not.toThrow()
})

it.each([
  { ttl: Number.POSITIVE_INFINITY },
  { ttl: 0 },
  { hardTimeout: Number.POSITIVE_INFINITY },
  { maxLoads: Number.POSITIVE_INFINITY },
  { jitter: 0 },
  { jitter: 1 },
  { l1: { maxBytes: Number.POSITIVE_INFINITY } },
  { l1: { maxEntries: Number.POSITIVE_INFINITY } },
  { l1: false },
  { compression: false },
] as const)('takes %j, and works', async (options) => {
  const cache = createCache({ ttl: '1m', ...options })
  const fn = cache.cached(async (id: number) => id)
  expect([await fn(1), await fn(1)]).toEqual([1, 1])
})
