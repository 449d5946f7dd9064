import { type Chosen, choose } from './choose.ts'
import type { Candidate } from './points.ts'
import type { RiskBudget } from './risk-budget.ts'
import type { CacheTerms } from './terms.ts'

export interface WithinOptions {
  readonly total: number
  readonly terms: CacheTerms
  /** Whether the prefix up to this block was seen before. */
  readonly isKnown: (at: number) => boolean
  /** Whether new prefixes that end at such a place were seen to be used again. */
  readonly isProven: (at: number) => boolean
}

/** The best choice that the budget allows: if need be without guesses, then without anything new. */
export function chooseWithin(
  budget: RiskBudget,
  candidates: readonly Candidate[],
  { total, terms, isKnown, isProven }: WithinOptions,
): Chosen {
  const among = (isSafe: (at: number) => boolean): Chosen => {
    const fewer = candidates.map((one) => (isSafe(one.at) ? one : { ...one, canMark: false }))
    return choose(fewer, total, terms)
  }
  const best = choose(candidates, total, terms)
  if (budget.allows(best.outcome.cost - total, false)) return best
  const proven = among((at) => isKnown(at) || isProven(at))
  if (budget.allows(proven.outcome.cost - total, true)) return proven
  return among(isKnown)
}
