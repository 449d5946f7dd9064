import type { ModelProfile } from '../../src/llm/models/model-profile.ts'
import { TTL_MS } from './oracle.ts'
import {
  type AccountedRequest,
  blocksOf,
  conditionsOf,
  type PromptBlock,
  type Tier,
} from './prompt-blocks.ts'

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
  /** Of the block, and of those before it that are kept only with it. */
  readonly tokens: number
  readonly uses: Use[]
  readonly next: Map<string, Edge>
}

/**
 * The least that these requests can cost, in tokens of input: no choice of markers can be cheaper, even
 * one that knows the future. The prompts form a tree; what is kept of each edge of it is chosen as if
 * it were alone, without slots and look-back.
 *
 * Two rules of the provider make it what it is. What comes before the minimum is kept only together with
 * what reaches it, so it counts to that edge. And a write costs what comes after the hit, but keeps all
 * of the prefix: what is there for 5 minutes is kept for an hour, for the price of a read, by whatever is
 * written for an hour after it. A bound without that can be beaten.
 */
export function lowerBound(requests: readonly Timed[], profile: ModelProfile): number {
  const tree: Tree = { root: new Map(), edges: [], least: profile.minTokens ?? 1024 }
  let neverKept = 0
  for (const { at, request } of requests) {
    neverKept += plant(tree, at, blocksOf(request), conditionsOf(request, profile.thinkingTier))
  }
  return tree.edges.reduce(
    (sum, { tokens, uses }) => sum + tokens * bestOf(uses, profile),
    neverKept,
  )
}

interface Tree {
  readonly root: Map<string, Edge>
  /** Those that can be kept. */
  readonly edges: Edge[]
  /** Tokens of the shortest prefix that is kept. */
  readonly least: number
}

/** @returns the tokens of a prompt that is too short to be kept */
function plant(
  { root, edges, least }: Tree,
  at: number,
  blocks: readonly PromptBlock[],
  conditions: Readonly<Record<Tier, string>>,
): number {
  let level = root
  let before: Tier | undefined
  let total = 0
  let short = 0
  for (const [index, { tier, text, tokens }] of blocks.entries()) {
    // What else must be the same comes before the blocks that depend on it, and costs nothing.
    if (tier !== before) level = below(level, conditions[tier], 0).next
    before = tier
    total += tokens
    short += tokens
    const edge = below(level, text, short)
    level = edge.next
    if (total < least) continue
    short = 0
    if (edge.uses.length === 0) edges.push(edge)
    edge.uses.push({ at, isInner: index < blocks.length - 1 })
  }
  return short
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
