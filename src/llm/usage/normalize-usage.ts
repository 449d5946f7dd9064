import { type Fields, fieldsOf, textOf } from './answer-fields.ts'
import { anthropicUsage } from './anthropic-usage.ts'
import { bedrockUsage } from './bedrock-usage.ts'
import { geminiUsage } from './gemini-usage.ts'
import type { NormalizedUsage } from './normalized-usage.ts'
import { openaiUsage } from './openai-usage.ts'

type Reader = (provider: string, answer: Fields, model: string) => NormalizedUsage | undefined

const READERS: ReadonlyMap<string, Reader> = new Map([
  ['anthropic', anthropicUsage],
  ['openai', openaiUsage],
  ['gemini', geminiUsage],
  // InvokeModel answers as the vendor of the model does, Converse in its own words.
  [
    'bedrock',
    (provider, answer, model) =>
      bedrockUsage(provider, answer, model) ?? anthropicUsage(provider, answer, model),
  ],
])

/**
 * The tokens of one call, told alike for all providers: Anthropic and Bedrock leave what was read and
 * written out of their input count, OpenAI and Gemini include it.
 *
 * Takes a whole answer, or the last event of a stream that has the usage in it. Where an answer
 * contradicts itself its parts are believed, and the total is made from them.
 *
 * @param model as it was asked for, used where the answer names none (Bedrock Converse)
 * @returns `undefined` for another provider, and for what is no answer with usage; never throws
 */
export function normalizeUsage(
  provider: string,
  response: unknown,
  model?: string,
): NormalizedUsage | undefined {
  const reader = READERS.get(provider)
  if (!reader) return undefined
  try {
    const outer = fieldsOf(response)
    // The last event of a Responses stream has the answer inside.
    const answer = outer?.usage === undefined ? (fieldsOf(outer?.response) ?? outer) : outer
    if (!answer) return undefined
    const named = textOf(answer.model) ?? textOf(answer.modelVersion) ?? model
    return reader(provider, answer, named ?? 'unknown')
  } catch {
    // Somebody else's object may throw when it is looked at; then it says nothing.
    return undefined
  }
}
