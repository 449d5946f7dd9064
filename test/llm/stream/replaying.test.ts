import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/facade/cache.ts'
import { createCache } from '../../../src/facade/create-cache.ts'
import { cachedStream } from '../../../src/llm/stream/cached-stream.ts'
import { recordingCodec } from '../../../src/llm/stream/recording.ts'
import { memory } from '../../../src/stores/memory-store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { collect, ScriptedStream, settle } from './scripted-stream.ts'

let clock: FakeClock
let cache: Cache

beforeEach(() => {
  clock = new FakeClock()
  cache = createCache({ clock })
})

afterEach(async () => {
  const closed = cache.close()
  await clock.advance('10s')
  await closed
})

async function recorded(pacing: unknown) {
  const upstream = new ScriptedStream<string>()
  const ask = cachedStream((_q: string) => upstream, {
    cache,
    name: 'ask',
    ttl: '1h',
    clock,
    pacing: pacing as 'instant',
  })
  const whole = collect(ask('q'))
  await clock.advance(100)
  upstream.push('a')
  await clock.advance(30)
  upstream.push('b')
  await clock.advance(2000)
  upstream.push('c')
  upstream.end()
  await whole
  await settle()
  return ask
}

/** When each item came, since the replay began. */
async function timesOf(stream: AsyncIterable<string>): Promise<[string, number][]> {
  const startedAt = clock.now()
  const times: [string, number][] = []
  const whole = (async () => {
    for await (const item of stream) times.push([item, clock.now() - startedAt])
  })()
  await clock.advance('10s')
  await whole
  return times
}

describe('a replay', () => {
  it.each([
    ['instant', 'instant', [0, 0, 0]],
    ['in its original pace', 'original', [100, 130, 2130]],
    ['at ten times the speed', { speed: 10 }, [10, 13, 213]],
    ['with no long pauses', { maxGap: '50ms' }, [50, 80, 130]],
    ['both', { speed: 2, maxGap: 50 }, [50, 65, 115]],
  ])('is %s', async (_name, pacing, expected) => {
    const ask = await recorded(pacing)
    const times = await timesOf(ask('q'))
    expect(times.map(([item]) => item)).toEqual(['a', 'b', 'c'])
    expect(times.map(([, ms]) => ms)).toEqual(expected)
  })

  it('that is left in a pause leaves no timer behind', async () => {
    const ask = await recorded('original')
    const controller = new AbortController()
    const replay = ask.with({ signal: controller.signal })('q')
    const wanted = replay.next()
    await settle()
    expect(clock.pending).toBe(1)
    controller.abort()
    await expect(wanted).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(clock.pending).toBe(0)
  })
})

describe('two caches over one store', () => {
  it('share a recording: the other process is given what the first one has paid for', async () => {
    const store = memory()
    const caches = [1, 2].map(() => createCache({ name: 'shared', l2: store, clock }))
    let calls = 0
    const [one, two] = caches.map((own) =>
      cachedStream(
        async function* (question: string) {
          calls++
          yield { question, when: new Date(5) }
          yield { bytes: Uint8Array.of(1, 2) }
        },
        { cache: own, name: 'ask', ttl: '1h', clock },
      ),
    )
    const first = await collect(one?.('q') as AsyncIterable<unknown>)
    await settle()
    const replay = two?.('q')
    expect(await collect(replay as AsyncIterable<unknown>)).toEqual(first)
    expect(replay?.source).toBe('replay')
    expect(calls).toBe(1)
    await Promise.all(caches.map((own) => own.close()))
  })

  it('let one call while it runs: the other waits for its recording', async () => {
    const store = memory()
    const caches = [1, 2].map(() => createCache({ name: 'shared', l2: store, clock }))
    const upstreams: ScriptedStream<string>[] = []
    const [one, two] = caches.map((own) =>
      cachedStream(
        (_q: string) => {
          const upstream = new ScriptedStream<string>()
          upstreams.push(upstream)
          return upstream
        },
        { cache: own, name: 'ask', ttl: '1h', clock },
      ),
    )
    const first = collect(one?.('q') as AsyncIterable<string>)
    await clock.advance(5)
    const second = collect(two?.('q') as AsyncIterable<string>)
    await clock.advance(5)
    expect(upstreams).toHaveLength(1)
    upstreams[0]?.push('a', 'b')
    upstreams[0]?.end()
    expect(await first).toEqual(['a', 'b'])
    await clock.advance('2s')
    expect(await second).toEqual(['a', 'b'])
    expect(upstreams).toHaveLength(1)
    await Promise.all(caches.map((own) => own.close()))
  })

  it('carry items by a codec of yours', async () => {
    const store = memory()
    const caches = [1, 2].map(() => createCache({ name: 'shared', l2: store, clock }))
    const codec = {
      id: 'upper',
      encode: (item: string) => Buffer.from(item.toUpperCase()),
      decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
    }
    const [one, two] = caches.map((own) =>
      cachedStream(
        async function* () {
          yield 'a'
          yield ''
          yield 'c'.repeat(300)
        },
        { cache: own, name: 'ask', ttl: '1h', clock, codec },
      ),
    )
    await collect(one?.() as AsyncIterable<string>)
    await settle()
    expect(await collect(two?.() as AsyncIterable<string>)).toEqual(['A', '', 'C'.repeat(300)])
    await Promise.all(caches.map((own) => own.close()))
  })
})

describe('the bytes of a recording', () => {
  const codec = recordingCodec({
    id: 'text',
    encode: (item: string) => Buffer.from(item),
    decode: (bytes) => Buffer.from(bytes).toString(),
  })

  it('give it back', () => {
    const recording = { items: ['a', '', 'ñ'.repeat(200)], gaps: [0, 127, 70_000_000_000] }
    expect(codec.decode(codec.encode(recording))).toEqual(recording)
  })

  it('that were cut off or have something behind them are refused', () => {
    const bytes = codec.encode({ items: ['abc'], gaps: [5] })
    for (let length = 0; length < bytes.length; length++) {
      expect(() => codec.decode(bytes.subarray(0, length))).toThrow('no recording')
    }
    expect(() => codec.decode(Buffer.concat([bytes, Uint8Array.of(0)]))).toThrow('no recording')
  })
})
