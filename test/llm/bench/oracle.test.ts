import { describe, expect, it } from 'vitest'
import { AccountingOracle } from '../../../bench/llm/oracle.ts'
import type { AccountedRequest } from '../../../bench/llm/prompt-blocks.ts'
import { SONNET } from './sonnet-profile.ts'

const MINUTE = 60_000
const oracle = (): AccountingOracle => new AccountingOracle(SONNET)
const short = { cache_control: { type: 'ephemeral' } }
const long = { cache_control: { type: 'ephemeral', ttl: '1h' } }

function text(name: string, tokens: number): { type: 'text'; text: string } {
  return { type: 'text', text: name.padEnd(tokens * 4, '.') }
}

function ask(...content: unknown[]): AccountedRequest {
  return { model: 'm', messages: [{ role: 'user', content }] }
}

/** `count` blocks of 1,000 tokens, with a marker on those named, counted from 1. */
function blocks(count: number, ...marked: number[]): AccountedRequest {
  return ask(
    ...Array.from({ length: count }, (_, index) => ({
      ...text(`block ${index + 1}`, 1000),
      ...(marked.includes(index + 1) && short),
    })),
  )
}

describe('the accounting oracle', () => {
  it('gives the documented example of the look-back', () => {
    const tested = oracle()
    expect(tested.call(blocks(10, 10), 0)).toMatchObject({ write5m: 10_000, input: 0 })
    expect(tested.call(blocks(15, 15), 1)).toMatchObject({ read: 10_000, write5m: 5000 })
    expect(tested.call(blocks(35, 35), 2)).toMatchObject({ read: 0, write5m: 35_000 })
    const again = oracle()
    again.call(blocks(15, 15), 0)
    expect(again.call(blocks(35, 15, 35), 1)).toMatchObject({ read: 15_000, write5m: 20_000 })
  })

  it('looks back at 20 positions, the marker counted', () => {
    const tested = oracle()
    tested.call(blocks(2, 2), 0)
    expect(tested.call(blocks(21, 21), 1).read).toBe(2000)
    const other = oracle()
    other.call(blocks(2, 2), 0)
    expect(other.call(blocks(22, 22), 1).read).toBe(0)
  })

  it('counts calls of tools that follow each other once, and their results once', () => {
    const step = (count: number): unknown[] => [
      {
        role: 'assistant',
        content: Array.from({ length: count }, (_, index) => ({
          type: 'tool_use',
          id: `t${index}`,
          name: 'f',
          input: {},
        })),
      },
      {
        role: 'user',
        content: Array.from({ length: count }, (_, index) => ({
          type: 'tool_result',
          tool_use_id: `t${index}`,
          content: 'done',
        })),
      },
    ]
    const task = { role: 'user', content: [text('task', 2000)] }
    const request = (...more: unknown[]): AccountedRequest => ({
      model: 'm',
      messages: [task, ...more],
      ...short,
    })
    const tested = oracle()
    tested.call(request(), 0)
    expect(tested.call(request(...step(30)), 1).read).toBe(2000)
  })

  it('caches nothing below the minimum, without an error', () => {
    const tested = oracle()
    const request = ask({ ...text('few', 1023), ...short })
    tested.call(request, 0)
    expect(tested.call(request, 1)).toEqual({
      read: 0,
      write5m: 0,
      write1h: 0,
      input: 1023,
      cost: 1023,
    })
  })

  it('bills what was read, then what is kept for an hour, then for 5 minutes, then the rest', () => {
    const request = ask(
      { ...text('a', 1100), ...long },
      { ...text('b', 500), ...short },
      text('c', 40),
    )
    const tested = oracle()
    const first = tested.call(request, 0)
    expect(first).toMatchObject({ read: 0, write1h: 1100, write5m: 500, input: 40 })
    expect(first.cost).toBeCloseTo(1100 * 2 + 500 * 1.25 + 40)
    // After 5 minutes the second is gone, and the first is not.
    const later = tested.call(request, 6 * MINUTE)
    expect(later).toMatchObject({ read: 1100, write1h: 0, write5m: 500, input: 40 })
    expect(later.cost).toBeCloseTo(110 + 625 + 40)
  })

  it('counts the lifetime from the start of the request, and a read begins it anew', () => {
    const request = blocks(2, 2)
    const tested = oracle()
    tested.call(request, 0, 4 * MINUTE)
    expect(tested.call(request, 5 * MINUTE - 1).read).toBe(2000)
    expect(tested.call(request, 10 * MINUTE - 2).read).toBe(2000)
    expect(tested.call(request, 15 * MINUTE - 2).read).toBe(0)
  })

  it('refreshes only the prefix that was hit', () => {
    const tested = oracle()
    tested.call(blocks(4, 2, 4), 0)
    expect(tested.call(blocks(4, 2, 4), 3 * MINUTE).read).toBe(4000)
    expect(tested.call(blocks(2, 2), 6 * MINUTE).read).toBe(0)
  })

  it('shows nothing of a call to others until its answer begins', () => {
    const request = blocks(2, 2)
    const tested = oracle()
    tested.call(request, 0, 800)
    expect(tested.call(request, 799, 1600)).toMatchObject({ read: 0, write5m: 2000 })
    expect(tested.call(request, 800).read).toBe(2000)
  })

  it('marks the last block that can be marked, where marking is automatic', () => {
    const tested = oracle()
    const request = (tail: unknown): AccountedRequest => ({
      ...ask(text('a', 2000), tail),
      ...short,
    })
    expect(tested.call(request({ type: 'text', text: '' }), 0)).toMatchObject({ write5m: 2000 })
    expect(tested.call(request(text('b', 10)), 1)).toMatchObject({ read: 2000, write5m: 10 })
  })

  it('takes a text for a list with one block, and looks at the role', () => {
    const tested = oracle()
    const content = 'x'.repeat(8000)
    tested.call({ model: 'm', messages: [{ role: 'user', content }], ...short }, 0)
    const same = ask({ type: 'text', text: content, ...short })
    expect(tested.call(same, 1).read).toBe(2000)
    const other = { model: 'm', messages: [{ role: 'assistant', content }], ...short }
    expect(tested.call(other, 2).read).toBe(0)
  })

  const base = {
    model: 'm',
    tools: [{ name: 'f', description: 'x'.repeat(8000), input_schema: {}, ...short }],
    system: [{ ...text('system', 1000), ...short }],
    messages: [{ role: 'user', content: [{ ...text('question', 1000), ...short }] }],
  }
  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A' } }
  it.each([
    ['nothing', {}, 'all'],
    ['the model', { model: 'n' }, 'none'],
    ['a tool', { tools: [{ ...base.tools[0], name: 'g' }] }, 'none'],
    ['the speed', { speed: 'fast' }, 'tools'],
    ['the system prompt', { system: [{ ...text('other', 1000), ...short }] }, 'tools'],
    ['the choice of a tool', { tool_choice: { type: 'any' } }, 'system'],
    ['thinking', { thinking: { type: 'enabled', budget_tokens: 2000 } }, 'system'],
    ['thinking, to its default', { thinking: { type: 'disabled' } }, 'all'],
    ['the effort', { output_config: { effort: 'low' } }, 'system'],
    [
      'a picture at the end',
      { messages: [...base.messages, { role: 'user', content: [picture] }] },
      'system',
    ],
  ])('loses what it must when there changes %s', (_what, change, kept) => {
    const tested = oracle()
    const tools = tested.call(base, 0).write5m - 2000
    const read = { none: 0, tools, system: tools + 1000, all: tools + 2000 }[kept]
    expect(tested.call({ ...base, ...change }, 1).read).toBe(read)
  })

  it('counts text by its bytes, a picture by its data and all else by its JSON', () => {
    const block = { type: 'tool_result', tool_use_id: 't', content: 'ä' }
    const request = ask(
      { type: 'text', text: 'äöü' },
      { ...block, ...short },
      {
        type: 'image',
        source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(5001) },
      },
    )
    const json = Buffer.byteLength(JSON.stringify(block))
    expect(oracle().call(request, 0).input).toBe(2 + Math.ceil(json / 4) + 6)
  })
})
