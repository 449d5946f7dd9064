import type { Prompt } from './block.ts'
import type { Reuse } from './place-stats.ts'
import { type Label, LONG, type Point, SHORT } from './placement.ts'
import type { Breakpoint, PlanHint } from './plan.ts'
import type { CacheTerms } from './terms.ts'
import { reuseOfKnown, type Walk } from './walk.ts'

/** A point, and which block of the prompt it is. */
export interface Candidate extends Point {
  readonly at: number
  readonly reason: Breakpoint['reason']
}

/** More would be too many to try all choices of. */
const MOST_CANDIDATES = 8

/** Below, what is probably not used again is not even tried. */
const LEAST_SHORT = 0.1
const LEAST_LONG = 0.35

export interface PointsInput {
  readonly prompt: Prompt
  readonly walk: Walk
  /** Tokens up to the end of each block. */
  readonly tokens: readonly number[]
  readonly terms: CacheTerms
  /** No marker below: it would have no effect. */
  readonly leastTokens: number
  readonly now: number
  readonly mayAdd: boolean
  readonly hint: PlanHint | undefined
  readonly hintAt: number
}

/** The places of a prompt that are worth a thought, in the order of the prompt. */
export function candidatesOf(input: PointsInput): Candidate[] {
  const picked = new Map<number, Breakpoint['reason']>()
  // In the order of their worth: what comes late may find no room.
  for (const [at, reason] of worthwhile(input)) {
    if (at < 0 || picked.has(at)) continue
    if (picked.size >= MOST_CANDIDATES && reason !== 'client') continue
    picked.set(at, reason)
  }
  return [...picked].sort(([a], [b]) => a - b).map(([at, reason]) => candidate(at, reason, input))
}

function* worthwhile(input: PointsInput): Generator<[number, Breakpoint['reason']]> {
  const { prompt, walk, hintAt } = input
  const { blocks } = prompt
  const automatic = automaticAt(prompt)
  for (let at = 0; at < blocks.length; at++) {
    if (at === automatic || blocks[at]?.marked !== undefined) yield [at, 'client']
  }
  yield [markableBefore(input, blocks.length - 1, walk.known - 1), 'tail']
  if (hintAt >= 0) yield [hintAt, 'hint']
  yield* entries(input)
  const toolsEnd = blocks.findLastIndex(({ tier }) => tier === 'tools')
  const systemEnd = blocks.findLastIndex(({ tier }) => tier === 'system')
  if (toolsEnd >= 0) yield [markableBefore(input, toolsEnd, -1), 'static']
  if (systemEnd >= 0) yield [markableBefore(input, systemEnd, toolsEnd), 'static']
  yield [markableBefore(input, walk.known - 1, -1), 'divergence']
  for (let at = walk.known - 1; at >= 0; at--) {
    const node = walk.nodes[at]
    if (node && node.hitsShort + node.hitsLong > 0) yield [at, 'divergence']
  }
  for (const [at, place] of walk.places) {
    const reuse = walk.reuse.get(place) as Reuse
    if (reuse.short >= LEAST_SHORT || reuse.long >= LEAST_LONG) yield [at, 'divergence']
  }
}

/** The deepest entries that are still alive; one that is shallower is found by none but its own marker. */
function* entries({ walk, now }: PointsInput): Generator<[number, Breakpoint['reason']]> {
  let found = 0
  for (let at = walk.known - 1; at >= 0 && found < 3; at--) {
    if ((walk.nodes[at]?.entryUntil ?? 0) <= now) continue
    found++
    yield [at, 'known']
  }
}

function markableBefore({ prompt }: PointsInput, from: number, after: number): number {
  for (let at = from; at > after; at--) if (prompt.blocks[at]?.canMark) return at
  return -1
}

function fixedOf(at: number, { prompt }: PointsInput): Label | undefined {
  const marked = prompt.blocks[at]?.marked
  const automatic = at === automaticAt(prompt) ? prompt.automatic : undefined
  const ttl = marked ?? automatic
  if (ttl === undefined) return undefined
  return ttl === '1h' ? LONG : SHORT
}

/** Where the provider puts its automatic marker. */
function automaticAt({ automatic, blocks }: Prompt): number {
  return automatic ? blocks.findLastIndex(({ canMark }) => canMark) : -1
}

function candidate(at: number, reason: Breakpoint['reason'], input: PointsInput): Candidate {
  const { prompt, walk, tokens, now, mayAdd, leastTokens } = input
  const block = prompt.blocks[at] as (typeof prompt.blocks)[number]
  const node = walk.nodes[at] as (typeof walk.nodes)[number]
  const until = tokens[at] as number
  const leftMs = Math.max(0, node.entryUntil - now)
  const isTail = reason === 'tail' || (at === prompt.blocks.length - 1 && at >= walk.known)
  return {
    at,
    reason,
    tokens: until,
    position: block.position,
    canMark: mayAdd && block.canMark && until >= leastTokens,
    fixed: fixedOf(at, input),
    leftMs,
    ttlMs: leftMs > 0 ? node.entryTtlMs : 0,
    grows: isTail && walk.tail !== 'tail:first',
    ...reuseAt(at, isTail, input),
  }
}

function reuseAt(at: number, isTail: boolean, { walk, hint, hintAt, terms }: PointsInput): Reuse {
  if (hint && at === hintAt) return hinted(hint, terms.shortMs)
  if (isTail) {
    if (hint?.kind === 'template') return { short: 0.02, long: 0.03 }
    if (hint?.kind === 'chat' || hint?.kind === 'agent') return { short: 0.9, long: 0.93 }
    // The tail itself may not be markable; what is likely of it is likely of the last that is.
    if (at >= walk.known) return walk.reuse.get(walk.tail) as Reuse
  }
  const place = walk.places.get(at)
  if (place) return walk.reuse.get(place) as Reuse
  if (at < walk.known) return reuseOfKnown(walk.nodes[at] as (typeof walk.nodes)[number])
  return { short: 0.02, long: 0.03 }
}

/** A part that is the same in all requests is used again, unless something else is said. */
function hinted({ expectReuse, expectGapMs }: PlanHint, shortMs: number): Reuse {
  const share = expectReuse === undefined ? 0.9 : expectReuse / (1 + expectReuse)
  if (expectGapMs !== undefined && expectGapMs >= shortMs) return { short: 0.05, long: share }
  return { short: share, long: share }
}
