import type { MessagesRequest } from '../../../src/testing/fake-anthropic/messages-request.ts'
import {
  type CacheRules,
  type PromptCacheOptions,
  promptCacheModel,
} from '../../../src/testing/fake-anthropic/prompt-cache.ts'

export const FIVE_MINUTES = { type: 'ephemeral' } as const
export const ONE_HOUR = { type: 'ephemeral', ttl: '1h' } as const

/** Text of exactly so many tokens; another name is another text. */
export function text(tokens: number, name = 'x'): string {
  return name.repeat(Math.ceil((tokens * 4) / name.length)).slice(0, tokens * 4)
}

export function textBlock(tokens: number, name?: string, marker?: object) {
  return {
    type: 'text' as const,
    text: text(tokens, name),
    ...(marker && { cache_control: marker as typeof FIVE_MINUTES }),
  }
}

/** `count` blocks of one user turn, 100 tokens each; markers after the blocks with these numbers, from 1. */
export function conversation(count: number, ...markedAt: number[]): MessagesRequest {
  const content = Array.from({ length: count }, (_, at) =>
    textBlock(100, `${at + 1}|`, markedAt.includes(at + 1) ? FIVE_MINUTES : undefined),
  )
  return { model: 'claude-sonnet-5', messages: [{ role: 'user', content }] }
}

/** A prompt cache without a minimum, and a clock that the tests read out. */
export function cacheOf(
  rules: Partial<CacheRules> = {},
  behaviour: Partial<PromptCacheOptions> = {},
) {
  const cache = promptCacheModel({
    rules: () => ({ minTokens: 1, lookback: 20, thinkingTier: 'messages', ...rules }),
    ...behaviour,
  })
  return {
    begin: cache.begin,
    get size() {
      return cache.size
    },
    /** A call whose answer begins at once. */
    call(request: MessagesRequest, at = 0, workspace = 'one') {
      const call = cache.begin(request, workspace, at)
      call.commit(at)
      return call.bill
    },
  }
}
