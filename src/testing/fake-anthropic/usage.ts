import type { MessagesRequest } from './messages-request.ts'
import type { PromptBill } from './prompt-cache.ts'

/** Usage as the Messages API tells it. */
export interface MessageUsage {
  readonly input_tokens: number
  readonly cache_creation_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly cache_creation: {
    readonly ephemeral_5m_input_tokens: number
    readonly ephemeral_1h_input_tokens: number
  }
  readonly output_tokens: number
  readonly output_tokens_details: { readonly thinking_tokens: number } | null
  readonly server_tool_use: null
  readonly service_tier: 'standard'
  readonly inference_geo: string
  readonly speed: 'standard' | 'fast'
}

export function usageOf(
  request: MessagesRequest,
  bill: PromptBill,
  output: { readonly tokens: number; readonly thinkingTokens: number },
): MessageUsage {
  return {
    input_tokens: bill.input,
    cache_creation_input_tokens: bill.write5m + bill.write1h,
    cache_read_input_tokens: bill.read,
    cache_creation: {
      ephemeral_5m_input_tokens: bill.write5m,
      ephemeral_1h_input_tokens: bill.write1h,
    },
    output_tokens: output.tokens,
    output_tokens_details:
      output.thinkingTokens > 0 ? { thinking_tokens: output.thinkingTokens } : null,
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: typeof request.inference_geo === 'string' ? request.inference_geo : 'global',
    speed: request.speed === 'fast' ? 'fast' : 'standard',
  }
}
