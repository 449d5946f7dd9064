import { countOf, type Fields, fieldsOf } from './answer-fields.ts'
import { assembleUsage } from './assemble-usage.ts'
import type { NormalizedUsage } from './normalized-usage.ts'

/** generateContent (`usageMetadata`) and the Interactions API (`usage`). */
export function geminiUsage(
  provider: string,
  answer: Fields,
  model: string,
): NormalizedUsage | undefined {
  const raw = fieldsOf(answer.usageMetadata) ?? fieldsOf(answer.usage)
  const tokens = raw && (fromMetadata(raw) ?? fromInteraction(raw))
  if (!tokens) return undefined
  const { prompt, cached, tools, thoughts } = tokens
  return assembleUsage({
    provider,
    model,
    // What tools brought is input of the same call, and not part of the prompt's count.
    uncached: Math.max(0, prompt - cached) + tools,
    read: cached,
    write: {},
    output: tokens.output,
    reasoning: thoughts,
    raw,
  })
}

interface Tokens {
  /** With what was read. */
  readonly prompt: number
  readonly cached: number
  readonly tools: number
  /** With thoughts. */
  readonly output: number
  readonly thoughts: number | undefined
}

function fromMetadata(usage: Fields): Tokens | undefined {
  const prompt = countOf(usage.promptTokenCount)
  if (prompt === undefined) return undefined
  const thoughts = countOf(usage.thoughtsTokenCount)
  return {
    prompt,
    cached: countOf(usage.cachedContentTokenCount) ?? 0,
    tools: countOf(usage.toolUsePromptTokenCount) ?? 0,
    output: (countOf(usage.candidatesTokenCount) ?? 0) + (thoughts ?? 0),
    thoughts,
  }
}

function fromInteraction(usage: Fields): Tokens | undefined {
  const prompt = countOf(usage.total_input_tokens)
  if (prompt === undefined) return undefined
  const thoughts = countOf(usage.total_thought_tokens)
  return {
    prompt,
    cached: countOf(usage.total_cached_tokens) ?? 0,
    tools: countOf(usage.total_tool_use_tokens) ?? 0,
    output: (countOf(usage.total_output_tokens) ?? 0) + (thoughts ?? 0),
    thoughts,
  }
}
