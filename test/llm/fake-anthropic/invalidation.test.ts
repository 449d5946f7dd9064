import { describe, expect, it } from 'vitest'
import { cacheOf, FIVE_MINUTES, textBlock } from './prompts.ts'

type Request = Record<string, unknown> & { model: string; messages: readonly unknown[] }

const TOOL = { name: 't', input_schema: { type: 'object' }, cache_control: FIVE_MINUTES }
const TOOL_TOKENS = Math.ceil(
  JSON.stringify({ name: 't', input_schema: { type: 'object' } }).length / 4,
)

const BASE: Request = {
  model: 'm',
  tools: [TOOL],
  system: [textBlock(200, 's', FIVE_MINUTES)],
  messages: [
    { role: 'user', content: [textBlock(300, 'u', FIVE_MINUTES)] },
    { role: 'user', content: [textBlock(400, 'v')] },
  ],
}

const UP_TO = {
  nothing: 0,
  tools: TOOL_TOKENS,
  system: TOOL_TOKENS + 200,
  messages: TOOL_TOKENS + 500,
}

/** What of a cached prompt is still read after a change. */
function readAfter(change: Partial<Request>, thinkingTier: 'messages' | 'all' = 'messages') {
  const cache = cacheOf({ thinkingTier })
  cache.call(BASE)
  return cache.call({ ...BASE, ...change } as Request, 1).read
}

const [first, second] = BASE.messages
const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }
const paper = (enabled: boolean) => ({
  type: 'document',
  source: { type: 'text', media_type: 'text/plain', data: 'd' },
  citations: { enabled },
})
const format = { type: 'json_schema', schema: {} }

describe('what a change leaves of a cached prompt', () => {
  it.each<[string, Partial<Request>, keyof typeof UP_TO]>([
    ['no change', {}, 'messages'],
    [
      'members that are no prompt',
      { max_tokens: 9, metadata: { user_id: 'u' }, temperature: 1 },
      'messages',
    ],
    ['another model', { model: 'n' }, 'nothing'],
    ['another definition of a tool', { tools: [{ ...TOOL, description: 'd' }] }, 'nothing'],
    ['a tool before', { tools: [{ name: 'a' }, TOOL] }, 'nothing'],
    ['web search', { tools: [TOOL, { type: 'web_search_20250305', name: 'web_search' }] }, 'tools'],
    ['citations', { messages: [first, { role: 'user', content: [paper(true)] }] }, 'tools'],
    ['no citations', { messages: [first, { role: 'user', content: [paper(false)] }] }, 'messages'],
    ['speed', { speed: 'fast' }, 'tools'],
    ['another text of the system', { system: [textBlock(200, 'z', FIVE_MINUTES)] }, 'tools'],
    ['tool_choice', { tool_choice: { type: 'any' } }, 'system'],
    ['an image', { messages: [first, { role: 'user', content: [picture] }] }, 'system'],
    [
      'an image in the result of a tool',
      {
        messages: [first, { role: 'user', content: [{ type: 'tool_result', content: [picture] }] }],
      },
      'system',
    ],
    ['thinking', { thinking: { type: 'enabled', budget_tokens: 2000 } }, 'system'],
    ['effort', { output_config: { effort: 'low' } }, 'system'],
    ['format', { output_config: { format } }, 'system'],
    ['thinking switched off aloud', { thinking: { type: 'disabled' } }, 'messages'],
    ['the default effort aloud', { output_config: { effort: 'high' } }, 'messages'],
    ['another last turn', { messages: [first, { role: 'user', content: 'other' }] }, 'messages'],
    ['a turn before', { messages: [second, first] }, 'system'],
    [
      'the other role',
      { messages: [{ ...(first as object), role: 'assistant' }, second] },
      'system',
    ],
  ])('%s', (_, change, left) => {
    expect(readAfter(change)).toBe(UP_TO[left])
  })

  it('thinking and effort, on models that put them before the tools', () => {
    expect(readAfter({ thinking: { type: 'adaptive' } }, 'all')).toBe(0)
    expect(readAfter({ output_config: { effort: 'low' } }, 'all')).toBe(0)
    expect(readAfter({ tool_choice: { type: 'none' } }, 'all')).toBe(UP_TO.system)
  })
})
