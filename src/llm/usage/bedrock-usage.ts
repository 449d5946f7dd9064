import { countOf, type Fields, fieldsOf, listOf, textOf } from './answer-fields.ts'
import { assembleUsage } from './assemble-usage.ts'
import type { CacheTtl, NormalizedUsage } from './normalized-usage.ts'

/** Converse: `inputTokens` are only those that were neither read nor written. */
export function bedrockUsage(
  provider: string,
  answer: Fields,
  model: string,
): NormalizedUsage | undefined {
  const usage = fieldsOf(answer.usage)
  const uncached = countOf(usage?.inputTokens)
  if (!usage || uncached === undefined) return undefined
  const latency = textOf(fieldsOf(answer.performanceConfig)?.latency)
  return assembleUsage({
    provider,
    model,
    uncached,
    read: countOf(usage.cacheReadInputTokens) ?? 0,
    write: writesOf(usage),
    output: countOf(usage.outputTokens) ?? 0,
    tier: textOf(fieldsOf(answer.serviceTier)?.type),
    speed: latency,
    raw: usage,
  })
}

function writesOf(usage: Fields): Partial<Record<CacheTtl, number>> {
  const write = { '5m': 0, '1h': 0 }
  for (const { ttl, inputTokens } of listOf(usage.cacheDetails)) {
    if (ttl === '5m' || ttl === '1h') write[ttl] += countOf(inputTokens) ?? 0
  }
  const named = write['5m'] + write['1h']
  const rest = Math.max(0, (countOf(usage.cacheWriteInputTokens) ?? 0) - named)
  return { '5m': write['5m'] + rest, '1h': write['1h'] }
}
