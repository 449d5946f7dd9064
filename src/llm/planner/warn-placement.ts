import type { ModelProfile } from '../models/model-profile.ts'
import type { Prompt } from './block.ts'
import type { Chosen } from './choose.ts'
import type { PlaceStats } from './place-stats.ts'
import { SHORT } from './placement.ts'
import type { PrefixWarning } from './plan.ts'
import type { Candidate } from './points.ts'
import type { PrefixNode } from './prefix-tree.ts'
import type { CacheTerms } from './terms.ts'
import type { Walk } from './walk.ts'

export interface PlacementFacts {
  readonly prompt: Prompt
  readonly walk: Walk
  readonly candidates: readonly Candidate[]
  readonly chosen: Chosen
  readonly terms: CacheTerms
  readonly profile: ModelProfile
  /** Of the part that others share; -1: none. */
  readonly staticAt: number
  readonly staticTokens: number
  readonly pathOf: (at: number) => string
  readonly statsOf: (place: string) => PlaceStats
}

/** What is wrong with where markers are, or with how long prefixes are. */
export function placementWarnings(facts: PlacementFacts): PrefixWarning[] {
  return [...unknownModel(facts), ...belowMinimum(facts), ...lookback(facts), ...clients(facts)]
}

function unknownModel({ profile }: PlacementFacts): PrefixWarning[] {
  if (profile.minTokens !== null) return []
  return [
    {
      code: 'UNKNOWN_MODEL',
      path: '/model',
      fix: 'The least tokens that this model caches are not known and are learnt from its answers: set minTokens in profiles.',
    },
  ]
}

/**
 * A static part that is a little too short can pay to be padded: from `M (r + (w - r) / n)` tokens on, for
 * a minimum of M and n uses within the lifetime (OpenAI's prompt caching guide).
 */
function belowMinimum(facts: PlacementFacts): PrefixWarning[] {
  const { walk, staticAt, staticTokens, terms, pathOf } = facts
  const node = walk.nodes[staticAt]
  const uses = (node?.hitsShort ?? 0) + 1
  if (!node || uses < 3 || staticTokens >= terms.minTokens) return []
  const { read, writeShort, minTokens } = terms
  if (staticTokens < minTokens * (read + (writeShort - read) / uses)) return []
  const missing = Math.ceil(minTokens - staticTokens)
  return [
    {
      code: 'BELOW_MINIMUM',
      path: pathOf(staticAt),
      fix: `What all requests share is ${missing} tokens below the least that is cached: at the present rate it pays to add as many that stay the same, such as examples.`,
    },
  ]
}

/** An entry is there, and no marker finds it. */
function lookback({ candidates, chosen, terms, pathOf }: PlacementFacts): PrefixWarning[] {
  const deepest = candidates.findLast(({ leftMs }) => leftMs > 0)
  if (!deepest || deepest.at <= chosen.hitAt || chosen.choices.length === 0) return []
  if (!chosen.choices.some(({ at }) => at > deepest.at)) return []
  return [
    {
      code: 'LOOKBACK_OVERFLOW',
      path: pathOf(deepest.at),
      fix: `What was cached up to here is more than ${terms.lookback} positions before the next marker and is not found: set one marker here too.`,
    },
  ]
}

function clients(facts: PlacementFacts): PrefixWarning[] {
  return facts.chosen.choices.flatMap(({ at, label, isClients }) => {
    if (!isClients) return []
    const node = facts.walk.nodes[at] as PrefixNode
    return [...tooShort(facts, at, node, label === SHORT), ...neverRead(facts, at)]
  })
}

function tooShort(facts: PlacementFacts, at: number, node: PrefixNode, isShort: boolean) {
  const mostlyLater = node.hitsLong >= 2 && node.hitsLong > node.hitsShort
  if (!isShort || !mostlyLater || facts.terms.writeLong === Number.POSITIVE_INFINITY) return []
  return [
    {
      code: 'TTL_TOO_SHORT' as const,
      path: facts.pathOf(at),
      fix: "Most requests come when 5 minutes are over, and within the hour: set ttl: '1h'.",
    },
  ]
}

function neverRead(facts: PlacementFacts, at: number): PrefixWarning[] {
  const place = facts.walk.places.get(at)
  if (place === undefined || !facts.statsOf(place).isHopeless) return []
  if (place.startsWith('tail')) {
    return [
      {
        code: 'WRITE_NEVER_READ',
        path: facts.pathOf(at),
        fix: 'What is written here was never read again: mark the end of what all requests share instead of the end of the request.',
      },
    ]
  }
  return [
    {
      code: 'MARKER_ON_VOLATILE',
      path: facts.pathOf(at),
      fix: 'What the marker covers is different in each request: set it before the part that changes.',
    },
  ]
}
