import { countOf, type Fields, fieldsOf, textOf } from './answer-fields.ts'
import { assembleUsage } from './assemble-usage.ts'
import type { NormalizedUsage } from './normalized-usage.ts'

/** Chat Completions and Responses: what was read and written are parts of the total. */
export function openaiUsage(
  provider: string,
  answer: Fields,
  model: string,
): NormalizedUsage | undefined {
  const usage = fieldsOf(answer.usage)
  const total = countOf(usage?.input_tokens) ?? countOf(usage?.prompt_tokens)
  if (!usage || total === undefined) return undefined
  const input = fieldsOf(usage.input_tokens_details) ?? fieldsOf(usage.prompt_tokens_details)
  const output = fieldsOf(usage.output_tokens_details) ?? fieldsOf(usage.completion_tokens_details)
  const read = countOf(input?.cached_tokens) ?? 0
  const write = writesOf(input, textOf(fieldsOf(answer.prompt_cache_options)?.ttl))
  return assembleUsage({
    provider,
    model,
    uncached: Math.max(0, total - read - write['30m'] - write['12h']),
    read,
    write,
    output: countOf(usage.output_tokens) ?? countOf(usage.completion_tokens) ?? 0,
    reasoning: countOf(output?.reasoning_tokens),
    tier: textOf(answer.service_tier),
    raw: usage,
  })
}

function writesOf(input: Fields | undefined, ttl: string | undefined) {
  const split = fieldsOf(input?.cache_write_tokens_details)
  const long = countOf(split?.ttl_12h_tokens) ?? 0
  const short = countOf(split?.ttl_30m_tokens) ?? 0
  const rest = Math.max(0, (countOf(input?.cache_write_tokens) ?? 0) - long - short)
  return ttl === '12h' ? { '30m': short, '12h': long + rest } : { '30m': short + rest, '12h': long }
}
