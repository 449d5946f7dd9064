import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/facade/cache.ts'
import { createCache } from '../../../src/facade/create-cache.ts'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { cachedStream } from '../../../src/llm/stream/cached-stream.ts'
import { memory } from '../../../src/stores/memory-store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { collect, ScriptedStream, settle } from './scripted-stream.ts'

const REQUEST = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Name the colours of the flag.' }],
}

let clock: FakeClock
let cache: Cache
let upstreams: ScriptedStream<unknown>[]
let signals: AbortSignal[]

function streams(options: object = {}, own = cache) {
  return cachedStream(
    ({ signal }, _question: unknown) => {
      signals.push(signal)
      const upstream = new ScriptedStream<unknown>()
      upstreams.push(upstream)
      return upstream
    },
    { cache: own, name: 'ask', ttl: '1h', clock, context: true, ...options },
  )
}

const layer = () => promptCache({ provider: 'anthropic', tenant: 'acme' })

beforeEach(() => {
  clock = new FakeClock()
  cache = createCache({ clock })
  upstreams = []
  signals = []
})

afterEach(async () => {
  const closed = cache.close()
  await clock.advance('10s')
  await closed
})

describe('an item that makes no sense', () => {
  const START = { type: 'message_start', message: { id: 'm' } }

  it.each<[string, object[]]>([
    ['a delta of nothing', [START, { type: 'content_block_start', index: 0 }]],
    ['no list of choices', [{ object: 'chat.completion.chunk', choices: { length: 1 } }]],
  ])('%s reaches the readers, and is not stored', async (_name, items) => {
    const ask = streams()
    const whole = collect(ask('q'))
    await settle()
    const more = [...items, { type: 'content_block_delta', index: 0 }, { type: 'message_stop' }]
    upstreams[0]?.push(...more)
    upstreams[0]?.end()
    expect(await whole).toEqual(more)
    await settle()
    expect(cache.stats().entries).toBe(0)
  })

  it('that cannot be read at all fails the stream, and leaves nobody waiting', async () => {
    const ask = streams()
    const next = ask('q').next()
    await settle()
    upstreams[0]?.push({
      get text() {
        throw new Error('gone')
      },
    })
    await expect(next).rejects.toThrow('gone')
    expect(upstreams[0]?.stopped).toBe(true)
  })
})

describe('with a layer', () => {
  it('those who have got nothing of a failed call make one more, together', async () => {
    const ask = streams({ llm: layer(), context: true })
    const results = Promise.allSettled([1, 2, 3].map(() => collect(ask(REQUEST))))
    await settle()
    upstreams[0]?.fail(new Error('first'))
    await settle()
    expect(upstreams).toHaveLength(2)
    upstreams[1]?.push('a')
    upstreams[1]?.end()
    expect((await results).map((one) => one.status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  })

  it.each(['left by all', 'cut off'])(
    'what was billed of a stream that is %s is counted',
    async (how) => {
      const llm = layer()
      const ask = streams({ llm })
      const reader = ask(REQUEST)
      const begun = reader.next()
      await settle()
      const usage = { input_tokens: 10, cache_read_input_tokens: 2000, output_tokens: 1 }
      const message = { id: 'm', type: 'message', role: 'assistant', model: REQUEST.model, usage }
      upstreams[0]?.push({ type: 'message_start', message: { ...message, content: [] } })
      await begun
      if (how === 'left by all') await reader.return()
      else {
        const next = reader.next()
        upstreams[0]?.fail(new Error('cut'))
        await expect(next).rejects.toThrow('cut')
      }
      await settle()
      expect(llm.stats()).toMatchObject({
        calls: 1,
        failures: 1,
        hits: { l3: 1 },
        tokens: { uncached: 10, read: 2000, output: 1 },
      })
      expect(llm.stats().costUsd.actual).toBeGreaterThan(0)
      expect(cache.stats().entries).toBe(0)
    },
  )
})

describe('a stream that has become too long', () => {
  it('is joined by nobody from then on, whenever they come', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const from = upstreams.length
      const ask = streams({ maxItems: 2, name: `ask ${turns}` })
      const first = ask('q')
      const begun = first.next()
      await settle()
      upstreams[from]?.push('a', 'b', 'c', 'd')
      await begun
      await first.next()
      const over = first.next()
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      const late = ask('q')
      const got = late.next()
      await over
      await first.next()
      await settle()
      upstreams[from + 1]?.push('a')
      // The beginning: of the one that runs where it still was there, else of one of its own.
      expect(await got).toEqual({ done: false, value: 'a' })
      await Promise.all([first.return(), late.return()])
    }
  })

  it('is given up where it is only finished for the cache', async () => {
    const ask = streams({ maxItems: 3, onAbandon: 'finish' })
    const reader = ask('q')
    const begun = reader.next()
    await settle()
    upstreams[0]?.push('a')
    await begun
    await reader.return()
    upstreams[0]?.push('b', 'c')
    await settle()
    expect(signals[0]?.aborted).toBe(false)
    upstreams[0]?.push('d', 'e')
    await settle()
    expect(signals[0]?.aborted).toBe(true)
    expect(upstreams[0]?.stopped).toBe(true)
  })
})

describe('a recording that another process fails to make', () => {
  it('is made here', async () => {
    const store = memory()
    const caches = [1, 2].map(() => createCache({ name: 'shared', l2: store, clock }))
    const [one, two] = caches.map((own) => streams({}, own))
    const first = collect(one?.('q') as AsyncIterable<unknown>)
    const failed = expect(first).rejects.toThrow('overloaded')
    await clock.advance(5)
    const second = collect(two?.('q') as AsyncIterable<unknown>)
    second.catch(() => {})
    await clock.advance(5)
    expect(upstreams).toHaveLength(1)
    upstreams[0]?.fail(new Error('overloaded'))
    await failed
    await clock.advance('2s')
    expect(upstreams).toHaveLength(2)
    upstreams[1]?.push('a')
    upstreams[1]?.end()
    await clock.advance('2s')
    expect(await second).toEqual(['a'])
    await Promise.all(caches.map((own) => own.close()))
  })
})

describe('a cache that is closed during a stream', () => {
  it('ends it for all with ERR_CLOSED, and tells the upstream', async () => {
    const own = createCache({ clock })
    const ask = streams({}, own)
    const reader = ask('q')
    const begun = reader.next()
    await settle()
    upstreams[0]?.push('a')
    await begun
    const next = expect(reader.next()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    const closed = own.close()
    await clock.advance('30s')
    await closed
    await next
    expect(signals[0]?.aborted).toBe(true)
    await expect(ask('q').next()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})
