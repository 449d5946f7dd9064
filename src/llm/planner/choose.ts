import { type Label, LONG, NONE, type Outcome, Placement, SHORT } from './placement.ts'
import type { Breakpoint } from './plan.ts'
import type { Candidate } from './points.ts'
import type { CacheTerms } from './terms.ts'

/** A marker of a plan, those of the client included. */
export interface Choice {
  readonly at: number
  readonly label: Label
  readonly reason: Breakpoint['reason']
  readonly tokens: number
  readonly saving: number
  readonly isClients: boolean
}

export interface Chosen {
  readonly choices: readonly Choice[]
  readonly outcome: Outcome
  /** Index of the block up to which the provider will read; -1: nothing. */
  readonly hitAt: number
}

/** Where nothing is known of the cache of a model. */
export function nothingChosen(total: number): Chosen {
  const outcome = { hit: -1, read: 0, writeLong: 0, writeShort: 0, input: total, cost: total }
  return { choices: [], outcome: { ...outcome, value: -total }, hitAt: -1 }
}

/** Markers for the candidates, by the least expected cost. */
export function choose(candidates: readonly Candidate[], total: number, terms: CacheTerms): Chosen {
  const placement = new Placement(candidates, total, terms)
  const labels = placement.best()
  const base = placement.outcome(labels)
  const savings = labels.map((label, index) => {
    if (label === NONE) return 0
    const without = [...labels]
    without[index] = NONE
    return base.value - placement.outcome(without).value
  })
  protect(candidates, labels, terms.slots)
  keepLong(candidates, labels, base.hit, terms.shortMs)
  const outcome = placement.outcome(labels)
  const choices = candidates.flatMap(({ at, reason, tokens, fixed }, index): Choice[] => {
    const label = labels[index] as Label
    if (label === NONE) return []
    const isClients = fixed !== undefined
    return [{ at, label, reason, tokens, saving: savings[index] as number, isClients }]
  })
  return { choices, outcome, hitAt: candidates[outcome.hit]?.at ?? -1 }
}

/**
 * Marks the ends of what is static where a slot is free and a deeper marker is paid for anyway: it costs
 * nothing, and should the deeper entry be gone, there is still something to read.
 */
function protect(candidates: readonly Candidate[], labels: Label[], slots: number): void {
  let free = slots - labels.filter((label) => label !== NONE).length
  for (let index = candidates.length - 1; index >= 0 && free > 0; index--) {
    const candidate = candidates[index] as Candidate
    if (labels[index] !== NONE || !candidate.canMark || candidate.reason !== 'static') continue
    const deeper = labels.findIndex((label, at) => at > index && label !== NONE)
    if (deeper < 0) continue
    labels[index] = labels[deeper] === LONG ? LONG : SHORT
    free--
  }
}

/**
 * A marker on an entry that lives long asks for a long one again: it costs nothing while the entry is
 * there, and should it be gone, the same is written anew.
 */
function keepLong(
  candidates: readonly Candidate[],
  labels: Label[],
  hit: number,
  shortMs: number,
): void {
  for (let index = 0; index <= hit; index++) {
    if (labels[index] === NONE) continue
    const { fixed, ttlMs } = candidates[index] as Candidate
    if (labels[index] === SHORT && (fixed !== undefined || ttlMs <= shortMs)) return
    labels[index] = LONG
  }
}
