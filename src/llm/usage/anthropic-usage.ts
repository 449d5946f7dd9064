import { countOf, type Fields, fieldsOf, listOf, textOf } from './answer-fields.ts'
import { assembleUsage, type UsageParts } from './assemble-usage.ts'
import type { NormalizedUsage } from './normalized-usage.ts'

/** Iterations whose tokens are not in the totals, and may be those of another model. */
const EXTRA = new Set(['compaction', 'advisor_message', 'fallback_message'])

/** Messages API: `input_tokens` are only those that were neither read nor written. */
export function anthropicUsage(
  provider: string,
  answer: Fields,
  model: string,
): NormalizedUsage | undefined {
  const usage = fieldsOf(answer.usage)
  const tokens = usage && tokensOf(usage)
  if (!usage || !tokens) return undefined
  const call = {
    provider,
    tier: isRepriced(usage) ? 'fallback-credit' : textOf(usage.service_tier),
    geo: textOf(usage.inference_geo),
    speed: textOf(usage.speed),
  }
  const extra: NormalizedUsage[] = []
  for (const iteration of listOf(usage.iterations)) {
    const more = EXTRA.has(String(iteration.type)) ? tokensOf(iteration) : undefined
    if (!more) continue
    const of = textOf(iteration.model) ?? model
    extra.push(assembleUsage({ ...call, model: of, ...more, raw: iteration }))
  }
  const thoughts = countOf(fieldsOf(usage.output_tokens_details)?.thinking_tokens)
  return assembleUsage({ ...call, model, ...tokens, reasoning: thoughts, extra, raw: usage })
}

/** Billed as if another model had never been asked: these tokens at any list price are a wrong sum. */
function isRepriced(usage: Fields): boolean {
  return fieldsOf(fieldsOf(usage.fallback_credit)?.status)?.type === 'redeemed'
}

function tokensOf(
  usage: Fields,
): Pick<UsageParts, 'uncached' | 'read' | 'write' | 'output'> | undefined {
  const uncached = countOf(usage.input_tokens)
  if (uncached === undefined) return undefined
  const split = fieldsOf(usage.cache_creation)
  const hour = countOf(split?.ephemeral_1h_input_tokens) ?? 0
  const minutes = countOf(split?.ephemeral_5m_input_tokens) ?? 0
  // What is written and no lifetime is named for has the one that holds where none is asked for.
  const rest = Math.max(0, (countOf(usage.cache_creation_input_tokens) ?? 0) - hour - minutes)
  return {
    uncached,
    read: countOf(usage.cache_read_input_tokens) ?? 0,
    write: { '5m': minutes + rest, '1h': hour },
    output: countOf(usage.output_tokens) ?? 0,
  }
}
