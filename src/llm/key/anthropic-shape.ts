import {
  DATA,
  isGiven,
  members,
  type Note,
  SENDING,
  SETTINGS,
  type Shape,
} from './request-shape.ts'

// Messages API, stable and beta, as of @anthropic-ai/sdk 1.12.0.

/**
 * Tools that run at the caller's, or at the provider's without looking at anything that changes. One that
 * is not known yet is taken for live.
 */
const HARMLESS =
  /^(custom|bash|text_editor|computer|computer_toolset|browser_toolset|memory|tool_search_tool_(bm25|regex)|advisor)(_\d{8})?$/

const MARKER = ['cache_control']

export function inspectAnthropicTool(tool: Readonly<Record<string, unknown>>, note: Note): void {
  if (isGiven(tool.type) && !HARMLESS.test(String(tool.type))) note('server-tool')
}

export function inspectAnthropic(request: Readonly<Record<string, unknown>>, note: Note): void {
  if (isGiven(request.container)) note('container')
  if (isGiven(request.thread)) note('conversation')
  if (Array.isArray(request.mcp_servers) && request.mcp_servers.length > 0) note('server-tool')
}

const tool: Shape = {
  members: members({ input_schema: DATA, input_examples: DATA }, MARKER),
  inspect: inspectAnthropicTool,
}

const blockMembers = members({ input: DATA }, MARKER)
const block: Shape = { members: blockMembers }
blockMembers.set('content', { items: block, isTextBlock: true })
blockMembers.set('source', {
  members: members({ data: { text: 'base64' }, url: { text: 'url' }, content: { items: block } }),
})
// A tool that is brought in by a message: { type: 'tool_addition', tool: { definition } }
blockMembers.set('tool', { members: members({ definition: tool }) })

const output: Shape = { members: members({ format: SETTINGS }) }

export const anthropicRequest: Shape = {
  members: members(
    {
      system: { items: block, isTextBlock: true },
      messages: { items: { members: members({ content: { items: block, isTextBlock: true } }) } },
      tools: { items: tool, isToolList: true },
      thinking: SETTINGS,
      tool_choice: SETTINGS,
      output_config: output,
      output_format: SETTINGS,
    },
    ['stream', 'metadata', 'service_tier', 'diagnostics', ...MARKER, ...SENDING],
  ),
  inspect: inspectAnthropic,
}
