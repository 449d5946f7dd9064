import type { Fields } from '../usage/answer-fields.ts'
import {
  ASIDE,
  CONTENT,
  type Judge,
  type Part,
  partsOf,
  reasonAgainst,
  reasonOfEnding,
  type SkipReason,
  textPart,
  toolPart,
  UNKNOWN,
} from './answer-findings.ts'

// Whether tools may be kept is a question of which, asked of the content.
const ENDINGS: ReadonlyMap<unknown, SkipReason | 'good'> = new Map([
  ['end_turn', 'good'],
  ['stop_sequence', 'good'],
  ['tool_use', 'good'],
  ['max_tokens', 'truncated'],
  ['model_context_window_exceeded', 'truncated'],
  ['pause_turn', 'paused'],
  ['refusal', 'refusal'],
])

export const judgeAnthropic: Judge = (answer, pureTools) => {
  if (answer.type === 'error') return 'error'
  const ending = reasonOfEnding(answer.stop_reason, ENDINGS)
  if (ending) return ending
  if (answer.stop_details !== undefined && answer.stop_details !== null) return 'refusal'
  const parts = partsOf(answer.content, partOf)
  // It stopped for a tool and names none: something was lost on the way.
  if (answer.stop_reason === 'tool_use' && !parts.some((part) => part.kind === 'tool')) {
    return 'tool-use'
  }
  return reasonAgainst(parts, pureTools)
}

function partOf(block: Fields): Part {
  switch (block.type) {
    case 'text':
      return textPart(block.text)
    case 'thinking':
    case 'redacted_thinking':
      return ASIDE
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return toolPart(block.name)
    default:
      // What a tool brought stands beside its call, which has been judged.
      return isToolResult(block.type) ? CONTENT : UNKNOWN
  }
}

function isToolResult(type: unknown): boolean {
  return typeof type === 'string' && type.endsWith('_tool_result')
}
