import { cutText } from '../loopback/cut-text.ts'
import { asObject, type Json } from '../loopback/json-values.ts'
import type { ApiWords, StreamEvent, Telling } from './api-words.ts'

/** Chat Completions. */
export const CHAT_WORDS: ApiWords = {
  whole(telling) {
    const { answer, usage } = telling
    const message = {
      role: 'assistant',
      content: answer.text === '' ? null : answer.text,
      refusal: answer.refusal,
      ...(answer.toolCalls.length > 0 && { tool_calls: toolCalls(telling) }),
    }
    const choice = { index: 0, message, logprobs: null, finish_reason: answer.finish }
    return { ...head(telling, 'chat.completion'), choices: [choice], usage }
  },

  events(telling) {
    const { answer, chunks, request, usage } = telling
    const wantsUsage = asObject(request.stream_options).include_usage === true
    const chunk = (delta: Json, finish: string | null = null): Json => ({
      ...head(telling, 'chat.completion.chunk'),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(wantsUsage && { usage: null }),
    })
    const piece = (delta: Json): StreamEvent => ({ data: chunk(delta), isDelta: true })
    return [
      { data: chunk({ role: 'assistant', content: '', refusal: null }) },
      ...cutText(answer.text, chunks).map((content) => piece({ content })),
      ...cutText(answer.refusal ?? '', chunks).map((refusal) => piece({ refusal })),
      ...toolCalls(telling).map((call, index) => piece({ tool_calls: [{ index, ...call }] })),
      { data: chunk({}, answer.finish) },
      ...(wantsUsage
        ? [{ data: { ...head(telling, 'chat.completion.chunk'), choices: [], usage } }]
        : []),
    ]
  },

  streamError: (body) => ({ data: body }),
  epilogue: '[DONE]',
}

function head({ id, created, answer }: Telling, object: string): Json {
  return { id: `chatcmpl-${id}`, object, created, model: answer.model, service_tier: 'default' }
}

function toolCalls({ answer }: Telling) {
  return answer.toolCalls.map(({ id, name, json }) => ({
    id,
    type: 'function',
    function: { name, arguments: json },
  }))
}
