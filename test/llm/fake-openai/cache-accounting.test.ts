import { describe, expect, it } from 'vitest'
import { findProfile } from '../../../src/llm/models/profiles.ts'
import {
  cachePlan,
  type OpenaiCacheBehaviour,
} from '../../../src/testing/fake-openai/cache-plan.ts'
import { openaiCache } from '../../../src/testing/fake-openai/openai-cache.ts'
import type { Endpoint, OpenaiRequest } from '../../../src/testing/fake-openai/openai-prompt.ts'

const OLD = 'gpt-5.4'
const NEW = 'gpt-5.6-sol'
const MINUTE = 60_000

/** Text of exactly so many tokens, unlike any of another letter. */
const tokens = (count: number, letter = 'a'): string => letter.repeat(count * 4)

const mark = (ttl?: string) => ({
  prompt_cache_breakpoint: { mode: 'explicit', ...(ttl && { ttl }) },
})
const part = (text: string, marker: object = {}) => ({ type: 'text', text, ...marker })
const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: unknown) => ({ role: 'assistant', content })
const system = (content: unknown) => ({ role: 'system', content })

/** A provider without HTTP: what each call read, wrote and paid in full. */
function world(behaviour: OpenaiCacheBehaviour = {}) {
  const cache = openaiCache(behaviour)
  return (
    request: Omit<OpenaiRequest, 'model'> & { model?: string },
    at = 0,
    { scope = 'one', endpoint = 'chat' as Endpoint, firstByteAt = at } = {},
  ) => {
    const whole = { model: NEW, ...request }
    const plan = cachePlan(endpoint, whole, findProfile('openai', whole.model), behaviour)
    const call = cache.begin(plan, scope, at)
    call.commit(firstByteAt)
    const { read, write30m, write12h, uncached, total } = call.bill
    expect(read + write30m + write12h + uncached).toBe(total)
    return { read, write: write30m, write12h, uncached }
  }
}

describe('prompts up to GPT-5.5', () => {
  const ask = (own: string, shared = 2006) => ({
    model: OLD,
    messages: [system(tokens(shared)), user(own)],
  })

  it('are read in steps of 128 from 1,024 on, and written for free', () => {
    const call = world()
    expect(call(ask('one'))).toEqual({ read: 0, write: 0, write12h: 0, uncached: 2007 })
    expect(call(ask('two'))).toEqual({ read: 1920, write: 0, write12h: 0, uncached: 87 })
  })

  it('are not read below 1,024', () => {
    const call = world()
    call(ask('one', 1020))
    expect(call(ask('two', 1020)).read).toBe(0)
    call(ask('one', 1024))
    expect(call(ask('two', 1024)).read).toBe(1024)
  })

  it('are read up to where they differ, in the middle of a text too', () => {
    const call = world()
    call({ model: OLD, messages: [user(tokens(1300) + tokens(700, 'b'))] })
    const request = { model: OLD, messages: [user(tokens(1300) + tokens(700, 'c'))] }
    expect(call(request).read).toBe(1280)
  })

  it('are not found under another role, other tools or another model', () => {
    const call = world()
    call({ model: OLD, messages: [user(tokens(2000))] })
    expect(call({ model: OLD, messages: [system(tokens(2000))] }).read).toBe(0)
    expect(
      call({ model: OLD, tools: [{ type: 'function' }], messages: [user(tokens(2000))] }).read,
    ).toBe(0)
    expect(call({ model: 'gpt-5.2', messages: [user(tokens(2000))] }).read).toBe(0)
    expect(call({ model: OLD, messages: [user(tokens(2000))] }).read).toBe(1920)
  })

  it('are kept for five minutes from the last call, or a day if asked', () => {
    const call = world()
    call(ask('one'), 0)
    expect(call(ask('two'), 4 * MINUTE).read).toBe(1920)
    expect(call(ask('three'), 8 * MINUTE).read).toBe(1920)
    expect(call(ask('four'), 13 * MINUTE).read).toBe(0)
    const day = { ...ask('five'), prompt_cache_retention: '24h' }
    call(day, 20 * MINUTE)
    expect(call(day, 20 * MINUTE + 86_399_999).read).toBe(1920)
  })

  it('of 5.5 are kept for a day without being asked', () => {
    const call = world()
    const request = { model: 'gpt-5.5', messages: [user(tokens(2000))] }
    call(request)
    expect(call(request, 60 * MINUTE).read).toBe(1920)
  })
})

describe('prompts from GPT-5.6 on', () => {
  it('cost a write each time where only the end changes: the trap of the implicit breakpoint', () => {
    const call = world()
    const ask = (own: string) => ({ messages: [user(`${tokens(2000)}${own}`)] })
    expect(call(ask('one.'))).toEqual({ read: 0, write: 2001, write12h: 0, uncached: 0 })
    expect(call(ask('two.'))).toEqual({ read: 0, write: 2001, write12h: 0, uncached: 0 })
  })

  it('are read up to an explicit breakpoint', () => {
    const call = world()
    const ask = (own: string) => ({
      prompt_cache_options: { mode: 'explicit' },
      messages: [user([part(tokens(2000), mark()), part(own)])],
    })
    expect(call(ask('one.'))).toEqual({ read: 0, write: 2000, write12h: 0, uncached: 1 })
    expect(call(ask('two.'))).toEqual({ read: 2000, write: 0, write12h: 0, uncached: 1 })
  })

  it('are not cached at all in explicit mode without a breakpoint', () => {
    const call = world()
    const request = { prompt_cache_options: { mode: 'explicit' }, messages: [user(tokens(2000))] }
    call(request)
    expect(call(request)).toEqual({ read: 0, write: 0, write12h: 0, uncached: 2000 })
  })

  it('below 1,024 tokens are neither written nor read', () => {
    const call = world()
    const request = { messages: [user(tokens(1023))] }
    call(request)
    expect(call(request)).toEqual({ read: 0, write: 0, write12h: 0, uncached: 1023 })
  })

  it('of a growing conversation are read up to the last turn, which is written', () => {
    const call = world()
    const first = [user(tokens(2000))]
    const second = [...first, assistant(tokens(50)), user(tokens(30))]
    const third = [...second, assistant(tokens(40)), user(tokens(20))]
    expect(call({ messages: first }).write).toBe(2000)
    expect(call({ messages: second })).toEqual({ read: 2000, write: 80, write12h: 0, uncached: 0 })
    expect(call({ messages: third })).toEqual({ read: 2080, write: 60, write12h: 0, uncached: 0 })
  })

  it('pay for what follows the last user message, or write it if it is said to be written', () => {
    const messages = [user(tokens(2000)), assistant(tokens(100))]
    expect(world()({ messages })).toMatchObject({ write: 2000, uncached: 100 })
    expect(world({ implicitAt: 'last-message' })({ messages })).toMatchObject({
      write: 2100,
      uncached: 0,
    })
  })

  it('look 20 ends of messages back, or at the latest 80 breakpoints', () => {
    const turns = (count: number) =>
      Array.from({ length: count }, (_, at) => assistant(tokens(1, String(at % 10))))
    const ask = (count: number) => ({
      messages: [user(tokens(2000)), ...turns(count), user('end.')],
    })
    for (const [lookup, count, read] of [
      ['guide', 19, 2000],
      ['guide', 20, 0],
      ['latest-80', 20, 2000],
      ['latest-80', 78, 2000],
      ['latest-80', 79, 0],
    ] as const) {
      const call = world({ lookup })
      call({ messages: [user(tokens(2000))] })
      expect(call(ask(count)).read, `${lookup}, ${count} between`).toBe(read)
    }
  })

  it('write the latest three explicit breakpoints beside the implicit one, or the latest four', () => {
    const parts = (own: string) => [
      ...['a', 'b', 'c', 'd', 'e'].map((letter) => part(tokens(1024, letter), mark())),
      part(own),
    ]
    const one = (mode: string, count: number) => ({
      prompt_cache_options: { mode },
      messages: [user([...parts('').slice(0, count), part('own.')])],
    })
    for (const [mode, readOf] of [
      ['implicit', { 1: 0, 2: 0, 3: 3072, 5: 5120 }],
      ['explicit', { 1: 0, 2: 2048, 3: 3072, 5: 5120 }],
    ] as const) {
      for (const [count, read] of Object.entries(readOf)) {
        const call = world()
        call({ prompt_cache_options: { mode }, messages: [user(parts('end.'))] })
        expect(call(one(mode, Number(count))).read, `${mode}, ${count}`).toBe(read)
      }
    }
  })

  it('are kept for 30 minutes from the write, and longer by reads only if so said', () => {
    const request = { messages: [user(tokens(2000))] }
    const strict = world()
    strict(request, 0)
    expect(strict(request, 29 * MINUTE).read).toBe(2000)
    expect(strict(request, 30 * MINUTE)).toMatchObject({ read: 0, write: 2000 })
    const lax = world({ refresh: 'read' })
    lax(request, 0)
    lax(request, 29 * MINUTE)
    expect(lax(request, 58 * MINUTE).read).toBe(2000)
  })

  it('are kept for 12 hours if asked, as a whole or by breakpoint, and billed apart', () => {
    const responses = { endpoint: 'responses' } as const
    const call = world()
    const content = [
      { type: 'input_text', text: tokens(2000), ...mark('12h') },
      { type: 'input_text', text: tokens(500, 'b') },
    ]
    const request = { input: [user(content)] }
    expect(call(request, 0, responses)).toEqual({
      read: 0,
      write: 500,
      write12h: 2000,
      uncached: 0,
    })
    expect(call(request, 60 * MINUTE, responses)).toMatchObject({ read: 2000, write: 500 })
    const long = { prompt_cache_options: { ttl: '12h' }, input: tokens(1500, 'c') }
    expect(call(long, 0, responses)).toMatchObject({ write: 0, write12h: 1500 })
    expect(call(long, 720 * MINUTE - 1, responses).read).toBe(1500)
    expect(call(long, 720 * MINUTE, responses).read).toBe(0)
  })

  it('are lost when a setting changes that the model sees', () => {
    const base = { messages: [user(tokens(2000))] }
    for (const change of [
      { tools: [{ type: 'function', function: { name: 'f' } }] },
      { parallel_tool_calls: false },
      { response_format: { type: 'json_object' } },
      { reasoning_effort: 'low' },
      { verbosity: 'low' },
      { service_tier: 'flex' },
    ]) {
      const call = world()
      call(base)
      expect(call({ ...base, ...change }).read, JSON.stringify(change)).toBe(0)
      expect(call({ ...base, temperature: 0.5, user: 'u', metadata: { a: '1' } }).read).toBe(2000)
    }
  })

  it('can be read only after the first byte of the answer that writes them', () => {
    const call = world()
    const request = { messages: [user(tokens(2000))] }
    expect(call(request, 0, { firstByteAt: 500 }).write).toBe(2000)
    expect(call(request, 100, { firstByteAt: 600 }).write).toBe(2000)
    expect(call(request, 499, { firstByteAt: 999 }).write).toBe(2000)
    expect(call(request, 500).read).toBe(2000)
  })

  it('are kept from the start of the call that writes them, however late it answers', () => {
    const call = world()
    const request = { messages: [user(tokens(2000))] }
    call(request, 0, { firstByteAt: 10 * MINUTE })
    expect(call(request, 30 * MINUTE - 1).read).toBe(2000)
    expect(call(request, 30 * MINUTE).read).toBe(0)
  })

  it('of one scope are nothing to another', () => {
    const call = world()
    const request = { messages: [user(tokens(2000))] }
    call(request, 0, { scope: 'one' })
    expect(call(request, 1, { scope: 'two' }).read).toBe(0)
    expect(call(request, 1, { scope: 'one' }).read).toBe(2000)
  })

  it('are found whether or not their breakpoints have moved', () => {
    const call = world()
    call({ messages: [user([part(tokens(2000), mark()), part('own.')])] })
    const moved = { messages: [user([part(tokens(2000), mark()), part('new.', mark())])] }
    expect(call(moved).read).toBe(2000)
  })

  it('count images by the length of their data', () => {
    const image = (data: string) => ({
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${data}` },
    })
    const call = world()
    expect(call({ messages: [user([image('x'.repeat(2500))])] }).uncached).toBe(3)
    expect(call({ messages: [user([image('x'.repeat(2_500_000))])] }).write).toBe(1600)
  })
})
