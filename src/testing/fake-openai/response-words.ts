import { cutText } from '../loopback/cut-text.ts'
import { asObject, type Json } from '../loopback/json-values.ts'
import type { ApiWords, StreamEvent, Telling } from './api-words.ts'

/** The Responses API. */
export const RESPONSE_WORDS: ApiWords = {
  whole: (telling) => response(telling, endStatus(telling), outputOf(telling), telling.usage),

  events(telling) {
    const begun = response(telling, 'in_progress', [], null)
    const status = endStatus(telling)
    const events: StreamEvent[] = [
      named('response.created', { response: begun }),
      named('response.in_progress', { response: begun }),
      ...outputOf(telling).flatMap((item, at) => itemEvents(item, at, telling.chunks)),
      named(`response.${status}`, { response: RESPONSE_WORDS.whole(telling) }),
    ]
    return events.map((event, at) => ({ ...event, data: { ...event.data, sequence_number: at } }))
  },

  streamError: ({ error }) => named('error', { error, sequence_number: 0 }),
  epilogue: undefined,
}

function endStatus({ answer }: Telling): 'completed' | 'incomplete' {
  return answer.finish === 'length' || answer.finish === 'content_filter'
    ? 'incomplete'
    : 'completed'
}

function response(
  { id, created, request, answer }: Telling,
  status: string,
  output: readonly Json[],
  usage: unknown,
): Json {
  const options = asObject(request.prompt_cache_options)
  const why = answer.finish === 'length' ? 'max_output_tokens' : answer.finish
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: created,
    status,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: why } : null,
    instructions: request.instructions ?? null,
    metadata: request.metadata ?? {},
    model: answer.model,
    output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    prompt_cache_key: request.prompt_cache_key ?? null,
    ...(request.prompt_cache_options !== undefined && {
      prompt_cache_options: { mode: options.mode ?? 'implicit', ttl: options.ttl ?? '30m' },
    }),
    service_tier: 'default',
    temperature: request.temperature ?? 1,
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: request.top_p ?? 1,
    usage,
  }
}

function outputOf({ id, answer }: Telling): readonly Json[] {
  const content = [
    ...(answer.text === ''
      ? []
      : [{ type: 'output_text', text: answer.text, annotations: [], logprobs: [] }]),
    ...(answer.refusal === null ? [] : [{ type: 'refusal', refusal: answer.refusal }]),
  ]
  const status = answer.finish === 'length' ? 'incomplete' : 'completed'
  const message = { id: `msg_${id}`, type: 'message', role: 'assistant', status, content }
  const calls = answer.toolCalls.map((call, at) => ({
    id: `fc_${id}_${at}`,
    type: 'function_call',
    call_id: call.id,
    name: call.name,
    arguments: call.json,
    status: 'completed',
  }))
  return [...(content.length > 0 ? [message] : []), ...calls]
}

function itemEvents(item: Json, at: number, chunks: number): readonly StreamEvent[] {
  const place = { output_index: at, item_id: item.id }
  const added = item.type === 'message' ? { content: [] } : { arguments: '' }
  return [
    named('response.output_item.added', {
      output_index: at,
      item: { ...item, ...added, status: 'in_progress' },
    }),
    ...(item.type === 'message'
      ? (item.content as readonly Json[]).flatMap((part, index) =>
          partEvents(part, { ...place, content_index: index }, chunks),
        )
      : argumentEvents(item, place, chunks)),
    named('response.output_item.done', { output_index: at, item }),
  ]
}

function partEvents(part: Json, place: Json, chunks: number): readonly StreamEvent[] {
  // 'output_text' has its text in `text`, 'refusal' in `refusal`.
  const member = part.type === 'refusal' ? 'refusal' : 'text'
  const text = String(part[member])
  const kind = `response.${String(part.type)}`
  const logprobs = part.type === 'refusal' ? {} : { logprobs: [] }
  return [
    named('response.content_part.added', { ...place, part: { ...part, [member]: '' } }),
    ...cutText(text, chunks).map((delta) =>
      deltaOf(`${kind}.delta`, { ...place, delta, ...logprobs }),
    ),
    named(`${kind}.done`, { ...place, [member]: text, ...logprobs }),
    named('response.content_part.done', { ...place, part }),
  ]
}

function argumentEvents(item: Json, place: Json, chunks: number): readonly StreamEvent[] {
  const kind = 'response.function_call_arguments'
  return [
    ...cutText(String(item.arguments), chunks).map((delta) =>
      deltaOf(`${kind}.delta`, { ...place, delta }),
    ),
    named(`${kind}.done`, { ...place, name: item.name, arguments: item.arguments }),
  ]
}

function named(name: string, data: Json): StreamEvent {
  return { name, data: { type: name, ...data } }
}

function deltaOf(name: string, data: Json): StreamEvent {
  return { ...named(name, data), isDelta: true }
}
