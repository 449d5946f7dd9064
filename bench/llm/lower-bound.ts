import type { ModelProfile } from '../../src/llm/models/model-profile.ts'
import { TTL_MS } from './oracle.ts'
import { type AccountedRequest, blocksOf, conditionsOf, type Tier } from './prompt-blocks.ts'

interface Timed {
  readonly at: number
  readonly request: AccountedRequest
}

/** A request that has the block of an edge in it. */
interface Use {
  readonly at: number
  /** More of the prompt comes after it, of which something may be written. */
  readonly isInner: boolean
}

/** One block behind one certain beginning. */
interface Edge {
  readonly tokens: number
  readonly uses: Use[]
  readonly next: Map<string, Edge>
}

/**
 * The least that these requests can cost, in tokens of input: no choice of markers can be cheaper, even
 * one that knows the future. The prompts form a tree; what is kept of each edge of it is chosen as if
 * it were alone, without slots, look-back or minimum.
 *
 * A write costs what comes after the hit, but keeps all of the prefix: what is there for 5 minutes is
 * kept for an hour, for the price of a read, by whatever is written for an hour after it. Without that
 * the bound could be beaten, and was.
 */
export function lowerBound(requests: readonly Timed[], profile: ModelProfile): number {
  const root = new Map<string, Edge>()
  const edges: Edge[] = []
  for (const { at, request } of requests) {
    const conditions = conditionsOf(request, profile.thinkingTier)
    const blocks = blocksOf(request)
    let level = root
    let before: Tier | undefined
    for (const [index, { tier, text, tokens }] of blocks.entries()) {
      // What else must be the same comes before the blocks that depend on it, and costs nothing.
      if (tier !== before) level = below(level, conditions[tier], 0).next
      before = tier
      const edge = below(level, text, tokens)
      if (edge.uses.length === 0) edges.push(edge)
      edge.uses.push({ at, isInner: index < blocks.length - 1 })
      level = edge.next
    }
  }
  return edges.reduce((sum, { tokens, uses }) => sum + tokens * bestOf(uses, profile), 0)
}

function below(level: Map<string, Edge>, name: string, tokens: number): Edge {
  let edge = level.get(name)
  if (!edge) {
    edge = { tokens, uses: [], next: new Map() }
    level.set(name, edge)
  }
  return edge
}

/** What the requests cost where nothing is cached, in tokens of input. */
export function costWithoutCaching(
  requests: readonly { readonly request: AccountedRequest }[],
): number {
  let sum = 0
  for (const { request } of requests) {
    for (const { tokens } of blocksOf(request)) sum += tokens
  }
  return sum
}

/** The least cost of one token that is used like this. */
function bestOf(uses: readonly Use[], { read, write }: ModelProfile): number {
  const short = write['5m'] ?? Number.POSITIVE_INFINITY
  const long = write['1h'] ?? Number.POSITIVE_INFINITY
  // The least cost so far of those histories after which the token is kept not at all, for 5 minutes,
  // for an hour.
  let none = 0
  let for5m = Number.POSITIVE_INFINITY
  let for1h = Number.POSITIVE_INFINITY
  let before = Number.NEGATIVE_INFINITY
  for (const { at, isInner } of uses) {
    const gap = at - before
    before = at
    const kept5m = gap < TTL_MS['5m'] ? for5m : Number.POSITIVE_INFINITY
    const kept1h = gap < TTL_MS['1h'] ? for1h : Number.POSITIVE_INFINITY
    // What is kept may also be lost, or left alone.
    const lost = Math.min(none, for5m, for1h)
    none = lost + 1
    for5m = Math.min(lost + short, kept5m + read)
    for1h = Math.min(lost + long, (isInner ? Math.min(kept1h, kept5m) : kept1h) + read)
  }
  return Math.min(none, for5m, for1h)
}
