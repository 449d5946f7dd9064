import { isModelAsked } from '../models/model-name.ts'
import { type Fields, fieldsOf, textOf } from '../usage/answer-fields.ts'
import type { Judge, SkipReason } from './answer-findings.ts'
import { judgeAnthropic } from './judge-anthropic.ts'
import { judgeBedrock } from './judge-bedrock.ts'
import { judgeGemini } from './judge-gemini.ts'
import { judgeOpenai } from './judge-openai.ts'
import type { CacheVerdict } from './verdict.ts'

/** What is known of an answer beside itself. */
export interface AnswerContext {
  /** Tools whose calls may be replayed: the same input has the same effect, none. @default none */
  readonly pureTools?: readonly string[]
  /** What the caller's own check has said: `false` keeps nothing, `true` is needed of other providers. */
  readonly validated?: boolean
  /** The model that was asked for: answers of another one are not kept under its name. */
  readonly requestedModel?: string
}

const JUDGES: ReadonlyMap<string, Judge> = new Map([
  ['anthropic', judgeAnthropic],
  ['openai', judgeOpenai],
  ['gemini', judgeGemini],
  ['bedrock', judgeBedrock],
])

/**
 * Whether an answer may be stored and given to others: only one that ended well, says something, calls
 * no tool but pure ones and comes from the model that was asked.
 *
 * Errors, refusals, truncation, pauses, filtered and empty answers, warm-ups and everything that is not
 * known to be good are skipped. A provider that is not known is skipped unless `validated` is true.
 * Never throws.
 */
export function judgeAnswer(
  provider: string,
  final: unknown,
  context: AnswerContext = {},
): CacheVerdict {
  const reason = reasonToSkip(provider, final, context)
  return reason ? { action: 'skip', reason } : { action: 'store' }
}

function reasonToSkip(
  provider: string,
  final: unknown,
  context: AnswerContext,
): SkipReason | undefined {
  if (context.validated === false) return 'not-valid'
  try {
    if (final instanceof Error) return 'error'
    const answer = fieldsOf(final)
    if (isOfOtherModel(answer, context.requestedModel)) return 'other-model'
    const judge = JUDGES.get(provider)
    // Whether it is a good answer of another provider only the caller can tell.
    if (!judge) return context.validated === true ? undefined : 'unknown-provider'
    return !answer ? 'error' : judge(answer, new Set(context.pureTools))
  } catch {
    // Somebody else's object may throw when it is looked at; then nothing good is known of it.
    return 'error'
  }
}

function isOfOtherModel(answer: Fields | undefined, requested: string | undefined): boolean {
  const answered = textOf(answer?.model) ?? textOf(answer?.modelVersion)
  return requested !== undefined && answered !== undefined && !isModelAsked(requested, answered)
}
