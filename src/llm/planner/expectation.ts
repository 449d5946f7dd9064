import type { NormalizedUsage } from '../usage/normalized-usage.ts'
import type { Chosen } from './choose.ts'
import type { ModelMemory } from './model-memory.ts'
import { LONG } from './placement.ts'
import type { PrefixNode } from './prefix-tree.ts'
import type { RouteMemory } from './route-memory.ts'
import type { CacheTerms } from './terms.ts'

interface ExpectedEntry {
  readonly node: PrefixNode
  readonly tokens: number
  readonly ttlMs: number
}

/** What a plan takes to be at the provider, until the answer says more. */
export interface Expectation {
  readonly route: RouteMemory
  readonly model: ModelMemory
  readonly hit: PrefixNode | undefined
  readonly read: number
  /** An entry at each marker. */
  readonly entries: readonly ExpectedEntry[]
  /** Tokens of the whole prompt, as estimated, without what answers have taught. */
  readonly estimated: number
}

/** Notes the entries that the provider will have: the one that is read lives on, others are new. */
export function expect(
  chosen: Chosen,
  nodes: readonly PrefixNode[],
  terms: CacheTerms,
  now: number,
): Pick<Expectation, 'hit' | 'read' | 'entries'> {
  const hit = nodes[chosen.hitAt]
  if (hit) hit.entryUntil = now + hit.entryTtlMs
  const entries = chosen.choices.map(({ at, label, tokens }) => ({
    node: nodes[at] as PrefixNode,
    tokens,
    ttlMs: label === LONG ? terms.longMs : terms.shortMs,
  }))
  for (const entry of entries) {
    const isBeyond = entry.tokens > chosen.outcome.read
    if (!isBeyond || entry.tokens < terms.minTokens) continue
    entry.node.isConfirmed = false
    keep(entry, now)
  }
  return { hit, read: chosen.outcome.read, entries }
}

/** One number that is none would spoil all that was learnt of the model. */
export function isSound(
  { inputTotal, cacheRead, cacheWrite }: NormalizedUsage,
  startedAt: number,
): boolean {
  const tokens = [inputTotal, cacheRead, ...Object.values(cacheWrite)]
  return Number.isFinite(startedAt) && tokens.every((one) => Number.isFinite(one) && one >= 0)
}

/** Less than this share of what was expected counts as a miss. */
const MISSED_SHARE = 0.5

/** Corrects what is taken to be at the provider by what the answer says. */
export function learn(expectation: Expectation, usage: NormalizedUsage, startedAt: number): void {
  const { route, model, hit, read, entries, estimated } = expectation
  const written = Object.values(usage.cacheWrite).reduce((sum, tokens) => sum + tokens, 0)
  route.expectedRead += read
  route.actualRead += usage.cacheRead
  model.measure(estimated, usage.inputTotal)

  const isMiss = read > 0 && usage.cacheRead < read * MISSED_SHARE
  if (isMiss) route.unexplainedMisses++
  if (hit && isMiss) drop(hit)
  else if (hit) confirm(hit, startedAt)
  if (written > 0) {
    model.sawCached(usage.cacheRead + written)
    confirmNew(entries, usage.cacheRead, startedAt)
  } else if (usage.cacheRead === 0) {
    for (const { node } of entries) drop(node)
    const deepest = entries.at(-1)
    if (deepest) model.sawUncached(deepest.tokens)
  }
}

/** Entries are written at markers beyond what was read. */
function confirmNew(entries: readonly ExpectedEntry[], read: number, startedAt: number): void {
  for (const entry of entries) {
    if (entry.tokens <= read) continue
    keep(entry, startedAt)
    entry.node.isConfirmed = true
  }
}

function keep({ node, ttlMs }: ExpectedEntry, from: number): void {
  // Another request may have written or read it meanwhile.
  if (node.entryUntil >= from + ttlMs) return
  node.entryTtlMs = ttlMs
  node.entryUntil = from + ttlMs
}

function confirm(node: PrefixNode, startedAt: number): void {
  node.entryUntil = Math.max(node.entryUntil, startedAt + node.entryTtlMs)
  node.isConfirmed = true
}

function drop(node: PrefixNode): void {
  node.entryUntil = Number.NEGATIVE_INFINITY
  node.isConfirmed = false
}
