import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import { valueKindOf } from '../../kernel/value-kind.ts'

// Most headers only say how a request is sent, or by whom: credentials, tracing, `x-stainless-…`. Those
// that a provider reads as part of the request begin with its name: API version, betas, organisation,
// project and workspace (whose files, prompts and fine-tuned models are meant), guardrails of Bedrock.
const RELEVANT = /^(anthropic-|openai-|x-amzn-bedrock-)/

/**
 * Those headers that change the answer, in one order, whatever the case of their names.
 * @throws ERR_INVALID_OPTION for a value that is no text
 */
export function relevantHeaders(headers: unknown): string {
  if (headers === undefined) return ''
  checkIsRecord(headers)
  const lines: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') {
      throw invalidOption(`headers must be an object of text; ${name} is ${kindOf(value)}`)
    }
    const lowered = name.toLowerCase()
    if (RELEVANT.test(lowered)) lines.push(JSON.stringify([lowered, value]))
  }
  return lines.sort().join('')
}

function checkIsRecord(headers: unknown): asserts headers is Record<string, unknown> {
  if (typeof headers !== 'object' || headers === null) {
    throw invalidOption(`headers must be an object of text, got ${kindOf(headers)}`)
  }
  const kind = valueKindOf(headers)
  if (kind === 'object' || kind === 'null-prototype object') return
  // A Headers or a Map has no members of its own: nothing of it would be seen.
  throw invalidOption(
    'headers must be a plain object; write Object.fromEntries(headers) for a Headers or a Map',
  )
}
