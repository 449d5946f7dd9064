import { type Fields, fieldsOf } from '../usage/answer-fields.ts'
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

const FINISHES: ReadonlyMap<unknown, SkipReason | 'good'> = new Map([
  ['STOP', 'good'],
  ['MAX_TOKENS', 'truncated'],
  ['SAFETY', 'filtered'],
  ['RECITATION', 'filtered'],
  ['BLOCKLIST', 'filtered'],
  ['PROHIBITED_CONTENT', 'filtered'],
  ['SPII', 'filtered'],
])

/** generateContent. Answers of the Interactions API end in words of their own, and are not kept. */
export const judgeGemini: Judge = (answer, pureTools) => {
  if (answer.error !== undefined && answer.error !== null) return 'error'
  if (fieldsOf(answer.promptFeedback)?.blockReason) return 'filtered'
  if (!Array.isArray(answer.candidates)) return 'unknown-reason'
  if (answer.candidates.length === 0) return 'empty'
  for (const candidate of answer.candidates) {
    const fields = fieldsOf(candidate)
    const parts = partsOf(fieldsOf(fields?.content)?.parts, partOf)
    const reason = reasonOfEnding(fields?.finishReason, FINISHES) ?? reasonAgainst(parts, pureTools)
    if (reason) return reason
  }
  return undefined
}

function partOf(part: Fields): Part {
  if (part.thought === true) return ASIDE
  const call = fieldsOf(part.functionCall)
  if (call) return toolPart(call.name)
  if (fieldsOf(part.executableCode)) return toolPart('code_execution')
  if (fieldsOf(part.codeExecutionResult) || fieldsOf(part.inlineData)) return CONTENT
  return typeof part.text === 'string' ? textPart(part.text) : UNKNOWN
}
