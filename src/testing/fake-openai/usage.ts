import type { OpenaiBill } from './openai-cache.ts'
import type { Endpoint } from './openai-prompt.ts'

/** Usage of Chat Completions. */
export interface ChatUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: {
    readonly cached_tokens: number
    readonly cache_write_tokens: number
  }
  readonly completion_tokens_details: { readonly reasoning_tokens: number }
}

/** Usage of the Responses API. */
export interface ResponseUsage {
  readonly input_tokens: number
  readonly output_tokens: number
  readonly total_tokens: number
  readonly input_tokens_details: {
    readonly cached_tokens: number
    readonly cache_write_tokens: number
    readonly cache_write_tokens_details: {
      readonly ttl_30m_tokens: number
      readonly ttl_12h_tokens: number
    }
  }
  readonly output_tokens_details: { readonly reasoning_tokens: number }
}

export type OpenaiUsage = ChatUsage | ResponseUsage

/** What was read and written are parts of the total. */
export function usageOf(
  endpoint: Endpoint,
  bill: OpenaiBill,
  output: { readonly tokens: number; readonly reasoningTokens: number },
): OpenaiUsage {
  const total_tokens = bill.total + output.tokens
  const cached_tokens = bill.read
  const cache_write_tokens = bill.write30m + bill.write12h
  const reasoning = { reasoning_tokens: output.reasoningTokens }
  if (endpoint === 'chat') {
    return {
      prompt_tokens: bill.total,
      completion_tokens: output.tokens,
      total_tokens,
      prompt_tokens_details: { cached_tokens, cache_write_tokens },
      completion_tokens_details: reasoning,
    }
  }
  return {
    input_tokens: bill.total,
    output_tokens: output.tokens,
    total_tokens,
    input_tokens_details: {
      cached_tokens,
      cache_write_tokens,
      cache_write_tokens_details: {
        ttl_30m_tokens: bill.write30m,
        ttl_12h_tokens: bill.write12h,
      },
    },
    output_tokens_details: reasoning,
  }
}
