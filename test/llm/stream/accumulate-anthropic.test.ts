import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { followStream } from '../../../src/llm/stream/follow-stream.ts'

const START = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 12,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 2000,
      output_tokens: 1,
    },
  },
}

const block = (index: number, content_block: object) => ({
  type: 'content_block_start',
  index,
  content_block,
})
const delta = (index: number, part: object) => ({ type: 'content_block_delta', index, delta: part })
const stop = (index: number) => ({ type: 'content_block_stop', index })

const CASES: Record<string, object[]> = {
  text: [
    block(0, { type: 'text', text: '' }),
    delta(0, { type: 'text_delta', text: 'Hel' }),
    delta(0, { type: 'text_delta', text: 'lo' }),
    stop(0),
  ],
  'thinking, text with citations, a tool': [
    block(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
    delta(0, { type: 'thinking_delta', thinking: '…' }),
    delta(0, { type: 'signature_delta', signature: 'sig' }),
    stop(0),
    block(1, { type: 'text', text: '', citations: [] }),
    delta(1, { type: 'text_delta', text: 'As said' }),
    delta(1, { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'x' } }),
    stop(1),
    block(2, { type: 'tool_use', id: 'toolu_1', name: 'find', input: {} }),
    delta(2, { type: 'input_json_delta', partial_json: '' }),
    delta(2, { type: 'input_json_delta', partial_json: '{"where": {"x"' }),
    delta(2, { type: 'input_json_delta', partial_json: ': [1, 2]}}' }),
    stop(2),
  ],
  'a tool without input': [
    block(0, { type: 'tool_use', id: 'toolu_1', name: 'now', input: {} }),
    stop(0),
  ],
  'nothing at all': [],
}

const END = [
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null },
    usage: { output_tokens: 42, input_tokens: null, output_tokens_details: { thinking_tokens: 3 } },
  },
  { type: 'message_stop' },
]

/** What the SDK makes of the same events. */
async function ofSdk(events: object[]): Promise<unknown> {
  const body = events
    .map(
      (event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`,
    )
    .join('')
  const client = new Anthropic({
    apiKey: 'k',
    baseURL: 'http://127.0.0.1:1',
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  })
  const stream = client.messages.stream({ model: 'm', max_tokens: 9, messages: [] })
  return JSON.parse(JSON.stringify(await stream.finalMessage()))
}

describe('the events of a message', () => {
  it.each(Object.entries(CASES))(
    'add up to what the SDK makes of them: %s',
    async (_name, middle) => {
      const events = [START, { type: 'ping' }, ...middle, ...END]
      const before = structuredClone(events)
      const tail = followStream()
      for (const event of events) tail.add(event)
      // `parsed_output` is the SDK's own.
      const { parsed_output: _own, ...expected } = (await ofSdk(events)) as Record<string, unknown>
      expect(JSON.parse(JSON.stringify(tail.final()))).toEqual(expected)
      expect(tail.complete).toBe(true)
      expect(events).toEqual(before)
    },
  )

  it('are complete with the last one only, and never with an error among them', () => {
    const tail = followStream()
    for (const event of [START, ...(CASES.text as object[]), END[0]]) tail.add(event)
    expect([tail.complete, tail.finished]).toEqual([false, false])
    tail.add(END[1])
    expect([tail.complete, tail.finished]).toEqual([true, true])
    const failed = followStream()
    for (const event of [START, { type: 'error', error: {} }, ...END]) failed.add(event)
    expect(failed.complete).toBe(false)
  })

  it('make sense even where the input of a tool is cut off', () => {
    const tail = followStream()
    tail.add(START)
    tail.add(block(0, { type: 'tool_use', id: 't', name: 'find', input: {} }))
    tail.add(delta(0, { type: 'input_json_delta', partial_json: '{"a": ' }))
    expect(tail.final()).toMatchObject({ content: [{ type: 'tool_use', input: {} }] })
  })
})
