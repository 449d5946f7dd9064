import { findProfile } from '../models/profiles.ts'
import { judgeAnswer } from '../verdict/judge-answer.ts'
import type { CacheVerdict } from '../verdict/verdict.ts'
import type { LayerParts } from './layer-parts.ts'

const UNJUDGED: CacheVerdict = { action: 'skip', reason: 'error' }

/**
 * Whether an answer may be stored: what the provider says of it first, then what the caller's own check
 * says of those that would be. Never rejects: what cannot be judged is not stored.
 */
export async function judge(
  parts: LayerParts,
  final: unknown,
  requested: string | undefined,
): Promise<CacheVerdict> {
  const { provider, pureTools = [], validate, schema } = parts.options
  const hasCheck = validate !== undefined || schema !== undefined
  const verdictIf = (validated: boolean) =>
    judgeAnswer(provider, final, {
      pureTools,
      ...(hasCheck ? { validated } : {}),
      ...(isModel(provider, requested) && { requestedModel: requested }),
    })
  const verdict = parts.attempt('verdict', () => verdictIf(true)) ?? UNJUDGED
  if (verdict.action === 'skip' || !hasCheck) return verdict
  return (await isValid(parts, final)) ? verdict : verdictIf(false)
}

async function isValid(parts: LayerParts, final: unknown): Promise<boolean> {
  const { validate, schema } = parts.options
  try {
    const result = await schema?.['~standard'].validate(final)
    if (result?.issues !== undefined) return false
    return validate === undefined || Boolean(await validate(final))
  } catch (error) {
    parts.failed('validate', error)
    return false
  }
}

/** Deployments of Azure have names of their own, which no answer repeats: nothing can be told by them. */
function isModel(provider: string, name: string | undefined): name is string {
  return name !== undefined && (provider !== 'openai' || findProfile(provider, name).id !== '')
}
