import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/facade/cache.ts'
import { createCache } from '../../../src/facade/create-cache.ts'
import { cachedStream } from '../../../src/llm/stream/cached-stream.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { collect, ScriptedStream, settle } from './scripted-stream.ts'

let clock: FakeClock
let cache: Cache
let upstreams: ScriptedStream<string>[]
const signals: AbortSignal[] = []

function streams(options: object = {}) {
  return cachedStream(
    ({ signal }, _question: string) => {
      signals.push(signal)
      const upstream = new ScriptedStream<string>()
      upstreams.push(upstream)
      return upstream
    },
    { cache, name: 'ask', ttl: '1h', clock, context: true, ...options },
  )
}

beforeEach(() => {
  clock = new FakeClock()
  cache = createCache({ clock })
  upstreams = []
  signals.length = 0
})

afterEach(async () => {
  const closed = cache.close()
  await clock.advance('10s')
  await closed
})

describe('one upstream for all', () => {
  it('is not called before the first item is asked for', async () => {
    const ask = streams()
    ask('q')
    await settle()
    expect(upstreams).toHaveLength(0)
  })

  it('gives a late joiner the past at once, then the items as they come', async () => {
    const ask = streams()
    const first = ask('q')
    const wanted = first.next()
    await settle()
    upstreams[0]?.push('a')
    expect(await wanted).toEqual({ done: false, value: 'a' })
    const second = first.next()
    upstreams[0]?.push('b')
    expect(await second).toEqual({ done: false, value: 'b' })

    const late = ask('q')
    expect(await late.next()).toEqual({ done: false, value: 'a' })
    expect(await late.next()).toEqual({ done: false, value: 'b' })
    const live = [first.next(), late.next()]
    upstreams[0]?.push('c')
    expect(await Promise.all(live)).toEqual([
      { done: false, value: 'c' },
      { done: false, value: 'c' },
    ])
    const ends = [first.next(), late.next()]
    upstreams[0]?.end()
    expect(await Promise.all(ends)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
    expect(upstreams).toHaveLength(1)
    expect([first.source, late.source]).toEqual(['upstream', 'joined'])
  })

  it('replays what has ended', async () => {
    const ask = streams()
    const whole = collect(ask('q'))
    await settle()
    upstreams[0]?.push('a', 'b')
    upstreams[0]?.end()
    expect(await whole).toEqual(['a', 'b'])
    await settle()
    const replay = ask('q')
    expect(await collect(replay)).toEqual(['a', 'b'])
    expect(replay.source).toBe('replay')
    expect(upstreams).toHaveLength(1)
    expect(ask.stats()).toMatchObject({ originCalls: 1, misses: 1, hits: { l1: 1 } })
  })

  it('keeps other questions apart', async () => {
    const ask = streams()
    const all = Promise.all([collect(ask('one')), collect(ask('two'))])
    await settle()
    upstreams[0]?.push('1')
    upstreams[1]?.push('2')
    for (const upstream of upstreams) upstream.end()
    expect(await all).toEqual([['1'], ['2']])
  })

  it('is asked at the pace of the fastest reader, and not ahead of it', async () => {
    const ask = streams()
    const fast = ask('q')
    const slow = ask('q')
    const begun = [fast.next(), slow.next()]
    await settle()
    upstreams[0]?.push('a', 'b', 'c', 'd')
    await Promise.all(begun)
    await settle()
    expect(upstreams[0]?.asked).toBe(1)
    await fast.next()
    await fast.next()
    expect(upstreams[0]?.asked).toBe(3)
    expect(await slow.next()).toEqual({ done: false, value: 'b' })
    expect(await slow.next()).toEqual({ done: false, value: 'c' })
    expect(upstreams[0]?.asked).toBe(3)
    expect(await slow.next()).toEqual({ done: false, value: 'd' })
    expect(upstreams[0]?.asked).toBe(4)
  })

  it('answers calls of next() in their order, however many wait', async () => {
    const ask = streams()
    const reader = ask('q')
    const wanted = [reader.next(), reader.next(), reader.next(), reader.next()]
    await settle()
    upstreams[0]?.push('a', 'b')
    upstreams[0]?.end()
    const done = { done: true, value: undefined }
    expect(await Promise.all(wanted)).toEqual([
      { done: false, value: 'a' },
      { done: false, value: 'b' },
      done,
      done,
    ])
  })

  it('gives each reader its own copy of plain items', async () => {
    const fn = async function* (_q: string) {
      yield { list: ['x'] as string[] }
    }
    const ask = cachedStream(fn, { cache, name: 'objects', ttl: '1h', clock })
    const [one] = await collect(ask('q'))
    one?.list.push('mine')
    expect(await collect(ask('q'))).toEqual([{ list: ['x'] }])
  })

  it('runs in the context of the wrapping, whoever asks', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks')
    const user = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const ask = cachedStream(
      async function* () {
        seen.push(user.getStore())
        yield 1
        seen.push(user.getStore())
      },
      { cache, name: 'context', ttl: '1h', clock },
    )
    await user.run('alice', () => collect(ask()))
    expect(seen).toEqual([undefined, undefined])
  })
})

describe('leaving', () => {
  it('of one, by break, signal or return(), disturbs nobody', async () => {
    const ask = streams()
    const controller = new AbortController()
    const stays = collect(ask('q'))
    const leaves = ask.with({ signal: controller.signal })('q')
    const returns = ask('q')
    const breaks = (async () => {
      for await (const item of ask('q')) return item
    })()
    const waiting = [leaves.next(), returns.next()]
    await settle()
    upstreams[0]?.push('a')
    await Promise.all(waiting)
    const pending = leaves.next()
    const other = returns.next()
    controller.abort(new Error('bye'))
    await expect(pending).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: expect.objectContaining({ message: 'bye' }),
    })
    await returns.return()
    expect(await other).toEqual({ done: true, value: undefined })
    expect(await breaks).toBe('a')
    expect(await leaves.next()).toEqual({ done: true, value: undefined })
    expect(signals[0]?.aborted).toBe(false)
    upstreams[0]?.push('b')
    upstreams[0]?.end()
    expect(await stays).toEqual(['a', 'b'])
    await settle()
    expect(await collect(ask('q'))).toEqual(['a', 'b'])
    expect(upstreams).toHaveLength(1)
  })

  it('of all aborts the upstream, stores nothing and leaves nothing behind', async () => {
    const ask = streams()
    const readers = [ask('q'), ask('q')]
    const begun = readers.map((reader) => reader.next())
    await settle()
    upstreams[0]?.push('a')
    await Promise.all(begun)
    await readers[0]?.return()
    expect(signals[0]?.aborted).toBe(false)
    await readers[1]?.return()
    expect(signals[0]?.aborted).toBe(true)
    expect(upstreams[0]?.stopped).toBe(true)
    upstreams[0]?.push('b')
    upstreams[0]?.end()
    await settle()
    const anew = collect(ask('q'))
    await settle()
    expect(upstreams).toHaveLength(2)
    upstreams[1]?.end()
    expect(await anew).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('before anything has come ends the wait as well', async () => {
    const ask = streams()
    const reader = ask('q')
    const wanted = reader.next()
    await settle()
    await reader.return()
    expect(await wanted).toEqual({ done: true, value: undefined })
    expect(signals[0]?.aborted).toBe(true)
  })

  it('with a signal that is aborted already calls nothing', async () => {
    const ask = streams()
    const reader = ask.with({ signal: AbortSignal.abort() })('q')
    await expect(reader.next()).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(upstreams).toHaveLength(0)
  })

  it('finishes what is paid for with onAbandon: finish', async () => {
    const ask = streams({ onAbandon: 'finish' })
    const reader = ask('q')
    const begun = reader.next()
    await settle()
    upstreams[0]?.push('a')
    await begun
    await reader.return()
    upstreams[0]?.push('b', 'c')
    upstreams[0]?.end()
    await settle()
    expect(signals[0]?.aborted).toBe(false)
    expect(await collect(ask('q'))).toEqual(['a', 'b', 'c'])
    expect(upstreams).toHaveLength(1)
  })

  it('asks finishIf how far it is', async () => {
    const seen: object[] = []
    const ask = streams({
      onAbandon: {
        finishIf(progress: { items: number }) {
          seen.push(progress)
          return progress.items > 1
        },
      },
    })
    for (const items of [['a'], ['a', 'b']]) {
      const reader = ask('q')
      const begun = reader.next()
      await settle()
      upstreams.at(-1)?.push(...items)
      await begun
      await clock.advance(40)
      if (items.length > 1) await reader.next()
      await reader.return()
    }
    expect(seen).toEqual([
      { items: 1, bytes: 3, ms: 40 },
      { items: 2, bytes: 6, ms: 40 },
    ])
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false])
  })

  it('can be joined again while it is being finished', async () => {
    const ask = streams({ onAbandon: 'finish' })
    const reader = ask('q')
    const begun = reader.next()
    await settle()
    upstreams[0]?.push('a')
    await begun
    await reader.return()
    const late = collect(ask('q'))
    await settle()
    upstreams[0]?.push('b')
    upstreams[0]?.end()
    expect(await late).toEqual(['a', 'b'])
    expect(upstreams).toHaveLength(1)
  })
})

describe('an upstream that fails', () => {
  it('in the middle: all who have items get the error itself, and nothing is stored', async () => {
    const ask = streams()
    const readers = [ask('q'), ask('q')]
    const begun = readers.map((reader) => reader.next())
    await settle()
    upstreams[0]?.push('a')
    await Promise.all(begun)
    const error = new Error('cut')
    const next = readers.map((reader) => reader.next().catch((caught: unknown) => caught))
    upstreams[0]?.fail(error)
    expect(await Promise.all(next)).toEqual([error, error])
    expect(upstreams).toHaveLength(1)
    const anew = ask('q').next()
    await settle()
    expect(upstreams).toHaveLength(2)
    upstreams[1]?.push('x')
    expect(await anew).toEqual({ done: false, value: 'x' })
  })

  it('before the first item: who made the call gets the error, the others try once more, together', async () => {
    const ask = streams()
    const results = Promise.allSettled([1, 2, 3, 4].map(() => collect(ask('q'))))
    await settle()
    expect(upstreams).toHaveLength(1)
    upstreams[0]?.fail(new Error('first'))
    await settle()
    expect(upstreams).toHaveLength(2)
    upstreams[1]?.fail(new Error('second'))
    await settle()
    // Of the second call one reader was the maker; the others had their try.
    expect(upstreams).toHaveLength(2)
    const messages = (await results).map((one) => one.status === 'rejected' && one.reason.message)
    expect(messages).toEqual(['first', 'second', 'second', 'second'])
  })

  it('those who try once more get what comes then', async () => {
    const ask = streams()
    const results = Promise.allSettled([1, 2, 3].map(() => collect(ask('q'))))
    await settle()
    upstreams[0]?.fail(new Error('first'))
    await settle()
    upstreams[1]?.push('a')
    upstreams[1]?.end()
    expect((await results).map((one) => one.status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(await collect(ask('q'))).toEqual(['a'])
  })

  it('when it is called: the same', async () => {
    let calls = 0
    const ask = cachedStream(
      async (): Promise<AsyncIterable<string>> => {
        calls++
        throw new Error('overloaded')
      },
      { cache, name: 'failing', ttl: '1h', clock },
    )
    await expect(collect(ask())).rejects.toThrow('overloaded')
    expect(calls).toBe(1)
  })

  it('says what it was given instead of a stream', async () => {
    const ask = cachedStream((() => 5) as never, { cache, name: 'number', ttl: '1h', clock })
    await expect(collect(ask())).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining(
        'must return an async iterable or a promise of one, got a number',
      ),
    })
  })
})

describe('storing', () => {
  it('asks accept, and honours what it says of the ttl', async () => {
    const ends: unknown[] = []
    const ask = streams({
      accept(end: { items: readonly string[]; last: string }) {
        ends.push(end)
        if (end.last === 'bad') return false
        if (end.last === 'worse') return { action: 'skip', reason: 'worse' }
        return { action: 'store', ttlMs: 1000 }
      },
    })
    for (const item of ['bad', 'worse', 'good']) {
      const whole = collect(ask('q'))
      await settle()
      upstreams.at(-1)?.push(item)
      upstreams.at(-1)?.end()
      await whole
      await settle()
    }
    expect(ends[0]).toEqual({ items: ['bad'], last: 'bad', final: 'bad' })
    expect(upstreams).toHaveLength(3)
    expect(await collect(ask('q'))).toEqual(['good'])
    await clock.advance(1001)
    const reader = ask('q')
    const wanted = reader.next()
    await settle()
    expect(upstreams).toHaveLength(4)
    await reader.return()
    await wanted
  })

  it('does not happen where accept throws; the cache says so, the readers do not notice', async () => {
    const errors: unknown[] = []
    cache.on('error', ({ kind, error }) => errors.push([kind, error]))
    const broken = new Error('broken')
    const ask = streams({
      accept() {
        throw broken
      },
    })
    const whole = collect(ask('q'))
    await settle()
    upstreams[0]?.push('a')
    upstreams[0]?.end()
    expect(await whole).toEqual(['a'])
    await settle()
    expect(errors).toEqual([['store', broken]])
    expect(cache.stats().entries).toBe(0)
  })

  it('does not happen after an invalidation, and nobody joins what began before it', async () => {
    const ask = streams()
    const before = collect(ask('q'))
    await settle()
    upstreams[0]?.push('old')
    await ask.invalidate('q')
    const after = collect(ask('q'))
    await settle()
    expect(upstreams).toHaveLength(2)
    upstreams[0]?.end()
    expect(await before).toEqual(['old'])
    upstreams[1]?.push('new')
    upstreams[1]?.end()
    expect(await after).toEqual(['new'])
    await settle()
    expect(await collect(ask('q'))).toEqual(['new'])
    expect(upstreams).toHaveLength(2)
  })

  it('has the tags that were declared', async () => {
    const ask = streams({ tags: (question: string) => [`about:${question}`] })
    const whole = collect(ask('q'))
    await settle()
    upstreams[0]?.end()
    await whole
    await settle()
    await cache.invalidateTag('about:q')
    const wanted = collect(ask('q'))
    await settle()
    expect(upstreams).toHaveLength(2)
    upstreams[1]?.end()
    await wanted
  })
})

describe('more than maxBytes', () => {
  it('is given to those who have begun, is not stored, and new ones begin anew', async () => {
    const ask = streams({ maxBytes: 10 })
    const fast = ask('q')
    const slow = ask('q')
    const begun = [fast.next(), slow.next()]
    await settle()
    upstreams[0]?.push('aaaa')
    await Promise.all(begun)
    upstreams[0]?.push('bbbb')
    expect(await fast.next()).toEqual({ done: false, value: 'bbbb' })
    await settle()
    const late = ask('q').next()
    await settle()
    expect(upstreams).toHaveLength(2)
    upstreams[0]?.push('c')
    expect(await fast.next()).toEqual({ done: false, value: 'c' })
    upstreams[0]?.end()
    expect(await fast.next()).toEqual({ done: true, value: undefined })
    expect(await collect(slow)).toEqual(['bbbb', 'c'])
    upstreams[1]?.push('x')
    expect(await late).toEqual({ done: false, value: 'x' })
    expect(cache.stats().entries).toBe(0)
  })

  it('holds for items as well', async () => {
    const ask = streams({ maxItems: 1 })
    const whole = collect(ask('q'))
    await settle()
    upstreams[0]?.push('a', 'b', 'c')
    upstreams[0]?.end()
    expect(await whole).toEqual(['a', 'b', 'c'])
    await settle()
    expect(cache.stats().entries).toBe(0)
  })

  it('drops what all have read, and nothing that one has still to read', async () => {
    const ask = streams({ maxItems: 1 })
    const items = Array.from({ length: 300 }, (_, i) => `item ${i}`)
    const readers = [ask('q'), ask('q')]
    const begun = readers.map((reader) => reader.next())
    await settle()
    upstreams[0]?.push(...items)
    upstreams[0]?.end()
    const got = (await Promise.all(begun)).map(({ value }) => [value])
    for (let read = 1; read < items.length; read++) {
      got[0]?.push((await readers[0]?.next())?.value)
      if (read > 70) got[1]?.push((await readers[1]?.next())?.value)
    }
    got[1]?.push(...(await collect(readers[1] as AsyncIterable<string>)))
    expect(got).toEqual([items, items])
  })

  it('lets a reader that has stopped reading go when it is twice that far behind', async () => {
    const ask = streams({ maxBytes: 100 })
    const fast = ask('q')
    const stuck = ask('q')
    const begun = [fast.next(), stuck.next()]
    await settle()
    const items = Array.from({ length: 40 }, (_, i) => `item ${i}`.padEnd(8))
    upstreams[0]?.push(...items)
    upstreams[0]?.end()
    const [first] = await Promise.all(begun)
    const rest = await collect(fast)
    expect([first?.value, ...rest]).toEqual(items)
    await expect(stuck.next()).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(await stuck.next()).toEqual({ done: true, value: undefined })
  })

  it('aborts the upstream when its readers leave, even with onAbandon: finish', async () => {
    const ask = streams({ maxBytes: 4, onAbandon: 'finish' })
    const reader = ask('q')
    const begun = reader.next()
    await settle()
    upstreams[0]?.push('much too long')
    await begun
    await settle()
    await reader.return()
    expect(signals[0]?.aborted).toBe(true)
  })
})
