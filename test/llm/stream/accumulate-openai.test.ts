import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { followStream } from '../../../src/llm/stream/follow-stream.ts'

const chunk = (choices: object[], more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-6',
  service_tier: 'default',
  system_fingerprint: 'fp',
  choices,
  ...more,
})
const choice = (delta: object, finish_reason: string | null = null, index = 0) => ({
  index,
  delta,
  finish_reason,
  logprobs: null,
})

const USAGE = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }

const CASES: Record<string, object[]> = {
  text: [
    chunk([choice({ role: 'assistant', content: '', refusal: null })]),
    chunk([choice({ content: 'Hel' })]),
    chunk([choice({ content: 'lo' })]),
    chunk([choice({}, 'stop')]),
    chunk([], { usage: USAGE }),
  ],
  'two choices': [
    chunk([
      choice({ role: 'assistant', content: 'a' }),
      choice({ role: 'assistant', content: 'x' }, null, 1),
    ]),
    chunk([choice({ content: 'b' })]),
    chunk([choice({ content: 'y' }, 'stop', 1)]),
    chunk([choice({}, 'stop')]),
  ],
  'tool calls': [
    chunk([
      choice({
        role: 'assistant',
        content: null,
        tool_calls: [
          { index: 0, id: 'c1', type: 'function', function: { name: 'find', arguments: '' } },
        ],
      }),
    ]),
    chunk([choice({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] })]),
    chunk([choice({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] })]),
    chunk([
      choice({
        tool_calls: [
          { index: 1, id: 'c2', type: 'function', function: { name: 'now', arguments: '{}' } },
        ],
      }),
    ]),
    chunk([choice({}, 'tool_calls')]),
  ],
}

async function ofSdk(chunks: object[]): Promise<Record<string, unknown>> {
  const body = `${chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`
  const client = new OpenAI({
    apiKey: 'k',
    baseURL: 'http://127.0.0.1:1',
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  })
  const stream = client.chat.completions.stream({ model: 'm', messages: [] })
  return JSON.parse(JSON.stringify(await stream.finalChatCompletion()))
}

/** Of the SDK alone: what it has parsed, and members that it fills in. */
function comparable(completion: unknown): unknown {
  return JSON.parse(
    JSON.stringify(completion, (name, value) =>
      name === 'parsed' || name === 'parsed_arguments' || value === null ? undefined : value,
    ),
  )
}

describe('the chunks of a chat completion', () => {
  it.each(Object.entries(CASES))(
    'add up to what the SDK makes of them: %s',
    async (_name, chunks) => {
      const before = structuredClone(chunks)
      const tail = followStream()
      chunks.forEach((one) => {
        tail.add(one)
      })
      expect(comparable(tail.final())).toEqual(comparable(await ofSdk(chunks)))
      expect(tail.complete).toBe(true)
      expect(chunks).toEqual(before)
    },
  )

  it('are complete when every choice has its reason', () => {
    const tail = followStream()
    const [first, ...rest] = CASES['two choices'] as object[]
    tail.add(first)
    expect(tail.complete).toBe(false)
    for (const one of rest.slice(0, -1)) tail.add(one)
    expect(tail.complete).toBe(false)
    tail.add(rest.at(-1))
    expect(tail.complete).toBe(true)
  })
})

describe('the events of a response', () => {
  it('end with the whole of it', () => {
    const tail = followStream()
    tail.add({ type: 'response.created', response: { id: 'r', status: 'in_progress', output: [] } })
    tail.add({ type: 'response.output_text.delta', delta: 'Hi' })
    expect(tail.complete).toBe(false)
    const response = { id: 'r', status: 'completed', output: [{ type: 'message' }] }
    tail.add({ type: 'response.completed', response })
    expect(tail.final()).toEqual(response)
    expect([tail.complete, tail.finished]).toEqual([true, true])
  })
})
