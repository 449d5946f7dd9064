import { type Fields, fieldsOf, listOf } from '../usage/answer-fields.ts'
import {
  ASIDE,
  CONTENT,
  type Judge,
  type Part,
  partsOf,
  REFUSAL,
  reasonAgainst,
  reasonOfEnding,
  type SkipReason,
  textPart,
  toolPart,
  UNKNOWN,
} from './answer-findings.ts'

const FINISHES: ReadonlyMap<unknown, SkipReason | 'good'> = new Map([
  ['stop', 'good'],
  ['tool_calls', 'good'],
  ['function_call', 'good'],
  ['length', 'truncated'],
  ['content_filter', 'filtered'],
])

const STATUSES: ReadonlyMap<unknown, SkipReason | 'good'> = new Map([
  ['completed', 'good'],
  ['incomplete', 'truncated'],
  ['failed', 'error'],
  ['cancelled', 'error'],
  ['queued', 'paused'],
  ['in_progress', 'paused'],
])

export const judgeOpenai: Judge = (answer, pureTools) => {
  if (answer.error !== undefined && answer.error !== null) return 'error'
  return Array.isArray(answer.choices)
    ? judgeChat(answer.choices, pureTools)
    : judgeResponse(answer, pureTools)
}

function judgeChat(choices: readonly unknown[], pureTools: ReadonlySet<string>) {
  if (choices.length === 0) return 'empty'
  for (const choice of choices) {
    const fields = fieldsOf(choice)
    const reason =
      reasonOfEnding(fields?.finish_reason, FINISHES) ??
      reasonAgainst(partsOfMessage(fieldsOf(fields?.message)), pureTools)
    if (reason) return reason
  }
  return undefined
}

function partsOfMessage(message: Fields | undefined): Part[] {
  if (!message) return []
  const parts = [
    textPart(message.content),
    ...partsOf(message.tool_calls, (call) =>
      toolPart(fieldsOf(call.function)?.name ?? fieldsOf(call.custom)?.name),
    ),
  ]
  const legacy = fieldsOf(message.function_call)
  if (legacy) parts.push(toolPart(legacy.name))
  if (fieldsOf(message.audio)) parts.push(CONTENT)
  if (message.refusal) parts.push(REFUSAL)
  return parts
}

function judgeResponse(answer: Fields, pureTools: ReadonlySet<string>): SkipReason | undefined {
  const isFiltered = fieldsOf(answer.incomplete_details)?.reason === 'content_filter'
  if (isFiltered) return 'filtered'
  const ending = reasonOfEnding(answer.status, STATUSES)
  if (ending) return ending
  const items = listOf(answer.output)
  if (items.some(({ status }) => status === 'incomplete')) return 'truncated'
  return reasonAgainst(items.flatMap(partsOfItem), pureTools)
}

function partsOfItem(item: Fields): Part[] {
  switch (item.type) {
    case 'message':
      return partsOf(item.content, (content) => {
        if (content.type === 'refusal') return REFUSAL
        return content.type === 'output_text' ? textPart(content.text) : UNKNOWN
      })
    case 'reasoning':
      return [ASIDE]
    default:
      // Tools of the client have names; those of the provider are called by what they are.
      return [isCall(item.type) ? toolPart(item.name ?? item.type) : UNKNOWN]
  }
}

function isCall(type: unknown): boolean {
  return typeof type === 'string' && type.endsWith('_call')
}
