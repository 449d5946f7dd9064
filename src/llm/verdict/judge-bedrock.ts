import { type Fields, fieldsOf } from '../usage/answer-fields.ts'
import {
  ASIDE,
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
import { judgeAnthropic } from './judge-anthropic.ts'

const ENDINGS: ReadonlyMap<unknown, SkipReason | 'good'> = new Map([
  ['end_turn', 'good'],
  ['stop_sequence', 'good'],
  ['tool_use', 'good'],
  ['max_tokens', 'truncated'],
  ['model_context_window_exceeded', 'truncated'],
  ['guardrail_intervened', 'filtered'],
  ['content_filtered', 'filtered'],
])

/** Converse, and InvokeModel of Claude, which answers as the Messages API does. */
export const judgeBedrock: Judge = (answer, pureTools) => {
  if (answer.stopReason === undefined && answer.stop_reason !== undefined) {
    return judgeAnthropic(answer, pureTools)
  }
  const message = fieldsOf(fieldsOf(answer.output)?.message)
  return (
    reasonOfEnding(answer.stopReason, ENDINGS) ??
    reasonAgainst(partsOf(message?.content, partOf), pureTools)
  )
}

function partOf(block: Fields): Part {
  if (block.text !== undefined) return textPart(block.text)
  const tool = fieldsOf(block.toolUse)
  if (tool) return toolPart(tool.name)
  return fieldsOf(block.reasoningContent) ? ASIDE : UNKNOWN
}
