import type { LlmKeyOptions } from '../../../src/llm/key/llm-key-options.ts'
import { createLlmKeyer } from '../../../src/llm/key/llm-keyer.ts'

export type Options = Omit<LlmKeyOptions, 'urlSource'> & { urlSource?: 'bypass' | 'by-url' }

/** Key of a request to Anthropic, unless the options say otherwise. */
export function keyOf(request: unknown, options: Partial<Options> = {}, extra?: string): string {
  return createLlmKeyer({ provider: 'anthropic', tenant: 'acme', ...options })(request, extra).key
}

export function bypassOf(request: unknown, options: Partial<Options> = {}): string | undefined {
  return createLlmKeyer({ provider: 'anthropic', tenant: 'acme', ...options })(request).bypass
}

/** A request of the Messages API with one message. */
export function ask(content: unknown, more: object = {}): object {
  return {
    model: 'claude-sonnet-5',
    max_tokens: 10,
    messages: [{ role: 'user', content }],
    ...more,
  }
}

export const EPHEMERAL = { type: 'ephemeral' }
