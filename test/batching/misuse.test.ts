import { describe, expect, it } from 'vitest'
import { loader } from '../../src/batching/loader.ts'
import { requestScope } from '../../src/batching/request-scope.ts'

const make = (options: unknown) => () =>
  loader(async (ids: readonly number[]) => ids, options as object)

describe('loader()', () => {
  it.each([
    [{ maxBatchSize: 5 }, "unknown option of loader(): 'maxBatchSize'; did you mean 'maxBatch'?"],
    [{ keyof: () => 1 }, "unknown option of loader(): 'keyof'; did you mean 'keyOf'?"],
    [{ keyOf: 'id' }, 'keyOf must be a function, got text'],
    [{ maxBatch: 0 }, 'maxBatch must be a whole number ≥ 1, got 0'],
    [{ concurrency: 1.5 }, 'concurrency must be a whole number ≥ 1, got 1.5'],
    [{ batch: 'proces' }, "batch has no such choice: 'proces'; did you mean 'process'?"],
    [{ hits: 'later' }, "hits has no such choice: 'later'; known are immediate, batched"],
    [
      { onBatchError: 'split ' },
      "onBatchError has no such choice: 'split '; did you mean 'split'?",
    ],
    [{ onMissing: null }, 'onMissing must be one of null, error; got null'],
    [{ window: 'soon' }, "window must be a duration: milliseconds ≥ 0 or text such as '250ms'"],
    [{ window: Infinity }, 'window must be a time after which the batch goes, at most 24 days'],
    [{ window: { duration: 5 } }, 'window.idle must be a duration'],
    [
      { window: { duration: 5, idel: 1 } },
      "unknown option of window: 'idel'; did you mean 'idle'?",
    ],
    [{ maxWeight: { max: 5 } }, 'maxWeight.of must be a function of the key, got undefined'],
    [{ maxWeight: { of: () => 1, max: 0 } }, 'maxWeight.max must be a number > 0, got a number'],
    [{ cache: 'memo' }, "cache must be 'request', false or { store, … }"],
    [
      { cache: { store: {} } },
      'cache.store must be a cache that createCache() makes, got an object',
    ],
    [{ cache: { tll: 5 } }, "unknown option of cache of loader(): 'tll'; did you mean 'ttl'?"],
    [{ nPlusOne: { repeats: 0 } }, 'nPlusOne.repeats must be a whole number ≥ 1, got 0'],
    [{ name: '' }, 'name must be text of 1 to 100 characters, got text'],
  ])('refuses %j', (options, message) => {
    expect(make(options)).toThrow(message)
    expect(make(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
  })

  it('refuses what is no function', () => {
    expect(() => loader([] as never)).toThrow(
      'loader(batchFn, options) takes a function of many keys, got an array',
    )
  })
})

describe('a loader', () => {
  const some = make({ name: 'some' })()

  it('refuses keys that are none, by rejection', async () => {
    await expect(some.load(undefined as never)).rejects.toThrow(
      "load() of the loader 'some' needs a key, got undefined",
    )
    await expect(some.loadMany('abc' as never)).rejects.toThrow(
      "loadMany() of the loader 'some' takes a list of keys, got text",
    )
  })

  it('refuses a key function that tells nothing apart', async () => {
    const all = make({ name: 'all', key: () => undefined })()
    await expect(all.load(1)).rejects.toMatchObject({ code: 'ERR_UNCACHEABLE_KEY' })
  })

  it('refuses a weight that is none, and goes on', async () => {
    const heavy = make({ name: 'heavy', maxWeight: { of: (id: number) => 1 / id - 2, max: 5 } })()
    await expect(heavy.load(1)).rejects.toThrow(
      "maxWeight.of of the loader 'heavy' must return a number ≥ 0, got a number",
    )
    expect(await heavy.load(0.25)).toBe(0.25)
  })

  it('refuses a signal that is none, and an event that it does not have', async () => {
    await expect(some.load(1, { signal: {} as never })).rejects.toThrow(
      'signal must be an AbortSignal, got an object',
    )
    expect(() => some.on('n-plus-on' as never, () => {})).toThrow(
      "no event of the loader 'some': 'n-plus-on'; did you mean 'n-plus-one'?",
    )
    expect(() => some.on('batch', 5 as never)).toThrow(
      'the listener must be a function, got a number',
    )
  })
})

it('requestScope refuses what is no function', () => {
  expect(() => requestScope(5 as never)).toThrow('requestScope(fn) takes a function, got a number')
})
