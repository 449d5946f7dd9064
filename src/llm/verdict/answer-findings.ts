import { type Fields, fieldsOf } from '../usage/answer-fields.ts'

/** Why an answer is not given to others. */
export type SkipReason =
  | 'error'
  | 'truncated'
  | 'paused'
  | 'refusal'
  | 'filtered'
  | 'tool-use'
  | 'empty'
  | 'not-valid'
  | 'other-model'
  | 'unknown-reason'
  | 'unknown-content'
  | 'unknown-provider'

/** What one part of an answer is. */
export type Part =
  | { readonly kind: 'content' }
  /** Nothing that anybody asked for: thoughts, empty text. */
  | { readonly kind: 'aside' }
  | { readonly kind: 'tool'; readonly name: string }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'unknown' }

export const CONTENT: Part = { kind: 'content' }
export const ASIDE: Part = { kind: 'aside' }
export const UNKNOWN: Part = { kind: 'unknown' }
export const REFUSAL: Part = { kind: 'refusal' }

export function textPart(text: unknown): Part {
  return typeof text === 'string' && text.trim() !== '' ? CONTENT : ASIDE
}

/** The parts of a list; what is no part at all is something unknown, not nothing. */
export function partsOf(list: unknown, partOf: (part: Fields) => Part): Part[] {
  if (!Array.isArray(list)) return []
  return list.map((element) => {
    const part = fieldsOf(element)
    return part ? partOf(part) : UNKNOWN
  })
}

export function toolPart(name: unknown): Part {
  return { kind: 'tool', name: typeof name === 'string' ? name : '' }
}

/** Why these parts may not be kept, if so: replaying a tool call would repeat what it did. */
export function reasonAgainst(
  parts: readonly Part[],
  pureTools: ReadonlySet<string>,
): SkipReason | undefined {
  let isEmpty = true
  for (const part of parts) {
    if (part.kind === 'refusal') return 'refusal'
    if (part.kind === 'unknown') return 'unknown-content'
    if (part.kind === 'tool' && !pureTools.has(part.name)) return 'tool-use'
    if (part.kind !== 'aside') isEmpty = false
  }
  return isEmpty ? 'empty' : undefined
}

/**
 * The judgement of an ending, by the provider's own word for it; a word that nobody has explained is
 * a reason not to keep the answer.
 */
export function reasonOfEnding(
  word: unknown,
  endings: ReadonlyMap<unknown, SkipReason | 'good'>,
): SkipReason | undefined {
  const found = endings.get(word) ?? 'unknown-reason'
  return found === 'good' ? undefined : found
}

/** Judges a whole answer of one provider; `undefined`: nothing is wrong with it. */
export type Judge = (answer: Fields, pureTools: ReadonlySet<string>) => SkipReason | undefined
