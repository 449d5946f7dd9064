import { describe, expect, it } from 'vitest'
import type { MessagesRequest } from '../../../src/testing/fake-anthropic/messages-request.ts'
import { cacheOf, conversation, FIVE_MINUTES, ONE_HOUR, text, textBlock } from './prompts.ts'

const MINUTE = 60_000

describe('where the prompt cache is read', () => {
  it('finds what an earlier marker wrote within 20 positions, as in the documented example', () => {
    const cache = cacheOf()
    expect(cache.call(conversation(10, 10))).toMatchObject({ read: 0, write5m: 1000, input: 0 })
    expect(cache.call(conversation(15, 15))).toMatchObject({ read: 1000, write5m: 500 })

    const far = cacheOf()
    far.call(conversation(10, 10))
    far.call(conversation(15, 15))
    expect(far.call(conversation(35, 35)).read).toBe(0)

    const helped = cacheOf()
    helped.call(conversation(10, 10))
    helped.call(conversation(15, 15))
    expect(helped.call(conversation(35, 15, 35))).toMatchObject({ read: 1500, write5m: 2000 })
  })

  it('counts the marker itself among the 20', () => {
    for (const [written, read] of [
      [16, 1600],
      [15, 0],
    ] as const) {
      const cache = cacheOf()
      cache.call(conversation(written, written))
      expect(cache.call(conversation(35, 35)).read).toBe(read)
    }
  })

  it('counts calls of tools in a row as one position, and their results as one', () => {
    const step = (calls: number, marked: boolean) => {
      const ids = Array.from({ length: calls }, (_, at) => `c${at}`)
      const results = ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }))
      return [
        {
          role: 'assistant',
          content: ids.map((id) => ({ type: 'tool_use', id, name: 't', input: {} })),
        },
        {
          role: 'user',
          content: marked
            ? [...results.slice(1), { ...results[0], cache_control: FIVE_MINUTES }]
            : results,
        },
      ]
    }
    const first = { role: 'user', content: [textBlock(100, 'q', FIVE_MINUTES)] }
    const cache = cacheOf()
    cache.call({ model: 'm', messages: [first] })
    const unmarked = { role: 'user', content: [textBlock(100, 'q')] }
    // 1 + 2 positions, 51 blocks.
    expect(cache.call({ model: 'm', messages: [unmarked, ...step(25, true)] }).read).toBe(100)
  })

  it('writes at markers only, and only beyond what was read', () => {
    const cache = cacheOf()
    cache.call(conversation(10, 10))
    expect(cache.call(conversation(8, 8)).read).toBe(0)
    expect(cache.call(conversation(10, 4, 10))).toMatchObject({ read: 1000, write5m: 0 })
    // The marker at 4 was before the hit: nothing is there.
    expect(cache.call({ ...conversation(6, 4) }).read).toBe(0)
  })

  it('ignores prefixes below the minimum of the model without a word', () => {
    const cache = cacheOf({ minTokens: 1024 })
    for (let round = 0; round < 2; round++) {
      expect(cache.call(conversation(10, 10))).toEqual({
        read: 0,
        write5m: 0,
        write1h: 0,
        input: 1000,
        total: 1000,
      })
    }
    expect(cache.call(conversation(11, 5, 11)).write5m).toBe(1100)
  })

  it('marks the last block that can be marked when asked to mark by itself', () => {
    const thinking = { type: 'thinking', thinking: text(10), signature: '' }
    const request = (content: unknown[]): MessagesRequest => ({
      model: 'm',
      cache_control: FIVE_MINUTES,
      messages: [
        { role: 'user', content: text(100) },
        { role: 'assistant', content },
      ],
    })
    const cache = cacheOf()
    const bill = cache.call(request([textBlock(50), thinking, { type: 'text', text: '' }]))
    expect(bill).toMatchObject({ write5m: 150, input: bill.total - 150 })
    expect(cache.call(request([textBlock(50)]))).toMatchObject({ read: 150, input: 0 })
  })
})

describe('how a prompt is billed', () => {
  it('splits what is written by lifetime, as in the documented answer', () => {
    const cache = cacheOf()
    const system = [textBlock(1800, 's', ONE_HOUR)]
    cache.call({ model: 'm', system, messages: [{ role: 'user', content: 'Hi' }] })
    const bill = cache.call({
      model: 'm',
      system,
      messages: [
        {
          role: 'user',
          content: [
            textBlock(100, 'a', ONE_HOUR),
            textBlock(148, 'b', FIVE_MINUTES),
            textBlock(2048),
          ],
        },
      ],
    })
    expect(bill).toEqual({ read: 1800, write1h: 100, write5m: 148, input: 2048, total: 4096 })
  })

  it('bills a marker below the minimum as what comes after it', () => {
    const cache = cacheOf({ minTokens: 1024 })
    const system = [textBlock(500, 's', ONE_HOUR), textBlock(1000, 't', FIVE_MINUTES)]
    const bill = cache.call({ model: 'm', system, messages: [{ role: 'user', content: 'Hi!!' }] })
    expect(bill).toEqual({ read: 0, write1h: 0, write5m: 1500, input: 1, total: 1501 })
  })

  it('counts bytes of UTF-8, JSON of what is no text, and images by their data', () => {
    const tool = { name: 't', input_schema: { type: 'object' } }
    const image = (length: number) => ({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(length) },
    })
    const bill = cacheOf().call({
      model: 'm',
      tools: [{ ...tool, cache_control: FIVE_MINUTES }],
      system: 'äöü€',
      messages: [{ role: 'user', content: [image(1), image(2001), image(5_000_000)] }],
    })
    const toolTokens = Math.ceil(JSON.stringify(tool).length / 4)
    expect(bill).toMatchObject({ write5m: toolTokens, input: 3 + 1 + 3 + 1600 })
  })
})

describe('how long the prompt cache keeps', () => {
  const marked = conversation(10, 10)

  it('counts the lifetime from the start of the request: a stream of 4 minutes leaves 1', () => {
    const cache = cacheOf()
    cache.begin(marked, 'one', 0).commit(4 * MINUTE)
    expect(cache.call(marked, 5 * MINUTE - 1).read).toBe(1000)
    const again = cacheOf()
    again.begin(marked, 'one', 0).commit(4 * MINUTE)
    expect(again.call(marked, 5 * MINUTE).read).toBe(0)
  })

  it('is kept alive by reading, for the time it was written for', () => {
    const short = cacheOf()
    for (let at = 0; at <= 40 * MINUTE; at += 4 * MINUTE) {
      expect(short.call(marked, at).read).toBe(at === 0 ? 0 : 1000)
    }
    const long = cacheOf()
    const hour = (marker: object): MessagesRequest => ({
      model: 'm',
      messages: [{ role: 'user', content: [textBlock(100, 'x', marker)] }],
    })
    long.call(hour(ONE_HOUR), 0)
    // Read with a marker of five minutes, it lives another hour all the same.
    expect(long.call(hour(FIVE_MINUTES), 59 * MINUTE).read).toBe(100)
    expect(long.call(hour(FIVE_MINUTES), 118 * MINUTE).read).toBe(100)
    expect(long.call(hour(FIVE_MINUTES), 178 * MINUTE).read).toBe(0)
  })

  it('keeps alive the entry that was hit, or those at the markers before it as well', () => {
    const survives = (refresh: 'hit' | 'hit+marked') => {
      const cache = cacheOf({}, { refresh })
      cache.call(conversation(10, 5, 10), 0)
      cache.call(conversation(10, 5, 10), 4 * MINUTE)
      return cache.call(conversation(6, 5), 8 * MINUTE).read
    }
    expect(survives('hit')).toBe(0)
    expect(survives('hit+marked')).toBe(500)
  })

  it('can be read from the first byte of the answer on, and the lag after it', () => {
    const cache = cacheOf({}, { commitLagMs: 2000 })
    const first = cache.begin(marked, 'one', 0)
    expect(cache.call(marked, 500).read).toBe(0)
    first.commit(1000)
    expect(cache.call(conversation(10, 10), 2400).read).toBe(0)
    expect(cache.call(conversation(10, 10), 2500).read).toBe(1000)
  })

  it('keeps nothing of a call that ended before its answer began', () => {
    const cache = cacheOf()
    const call = cache.begin(marked, 'one', 0)
    call.abandon()
    call.commit(0)
    expect(cache.call(marked, 1).read).toBe(0)
  })

  it('does not hold what has expired for ever', () => {
    const cache = cacheOf()
    for (let at = 0; at < 5000; at++) {
      const request: MessagesRequest = {
        model: 'm',
        messages: [{ role: 'user', content: [textBlock(10, `${at}|`, FIVE_MINUTES)] }],
      }
      cache.call(request, at * MINUTE)
      expect(cache.call(request, at * MINUTE).read).toBe(10)
    }
    expect(cache.size).toBeLessThan(1100)
  })
})

describe('what else decides', () => {
  it('bills every one of several cold calls at the same time for its write', () => {
    const cache = cacheOf()
    const calls = [1, 2, 3].map(() => cache.begin(conversation(10, 10), 'one', 0))
    for (const call of calls) call.commit(800)
    expect(calls.map(({ bill }) => bill.write5m)).toEqual([1000, 1000, 1000])
    expect(cache.call(conversation(10, 10), 900).read).toBe(1000)
  })

  it('bills only the first of them where that is wanted', () => {
    const cache = cacheOf({}, { concurrentWriters: 'first-billed' })
    const calls = [1, 2, 3].map(() => cache.begin(conversation(10, 10), 'one', 0))
    expect(calls.map(({ bill }) => bill.write5m)).toEqual([1000, 0, 0])
    expect(calls.map(({ bill }) => bill.input)).toEqual([0, 1000, 1000])
    for (const call of calls) call.abandon()
    expect(cache.call(conversation(10, 10), 1).write5m).toBe(1000)
  })

  it('misses as often as it is told to', () => {
    const draws = [0.1, 0.6, 0.3, 0.9]
    const cache = cacheOf({}, { missJitter: 0.4, random: () => draws.shift() ?? 1 })
    const reads = [0, 1, 2, 3].map((at) => cache.call(conversation(10, 10), at).read)
    expect(reads).toEqual([0, 1000, 0, 1000])
  })

  it('never shows one workspace what another wrote', () => {
    const cache = cacheOf()
    expect(cache.call(conversation(10, 10), 0, 'one').read).toBe(0)
    expect(cache.call(conversation(10, 10), 1, 'two').read).toBe(0)
    expect(cache.call(conversation(10, 10), 2, 'one').read).toBe(1000)
  })

  it('takes text and one block of text for the same, and moves of markers for none', () => {
    const cache = cacheOf()
    const turn = (content: unknown): MessagesRequest => ({
      model: 'm',
      messages: [{ role: 'user', content }],
      cache_control: FIVE_MINUTES,
    })
    cache.call(turn(text(100)))
    expect(cache.call(turn([textBlock(100)])).read).toBe(100)
    expect(cache.call(turn([textBlock(100, 'x', FIVE_MINUTES)])).read).toBe(100)
  })

  it('sees another prompt where members of an object are in another order', () => {
    const cache = cacheOf()
    const withTool = (tool: object): MessagesRequest => ({
      model: 'm',
      tools: [{ ...tool, cache_control: FIVE_MINUTES }],
      messages: [{ role: 'user', content: 'Hi' }],
    })
    cache.call(withTool({ name: 't', description: 'd', input_schema: {} }))
    expect(cache.call(withTool({ description: 'd', name: 't', input_schema: {} })).read).toBe(0)
    expect(cache.call(withTool({ name: 't', description: 'd', input_schema: {} })).read).not.toBe(0)
  })
})
