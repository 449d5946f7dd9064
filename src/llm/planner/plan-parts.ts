import type { Block, Prompt } from './block.ts'
import type { Chosen } from './choose.ts'
import { LONG } from './placement.ts'
import type { Breakpoint, Plan, PlanHint } from './plan.ts'
import type { PrefixNode } from './prefix-tree.ts'
import { prefixId } from './static-part.ts'
import type { CacheTerms } from './terms.ts'

/** An answer has begun by then: an entry that was written so long ago is taken to be there. */
const ANSWERED_AFTER_MS = 30_000

/** Tokens up to the end of each block. */
export function cumulated(blocks: readonly Block[], scale: number): number[] {
  let sum = 0
  return blocks.map(({ tokens }) => {
    sum += tokens * scale
    return Math.round(sum)
  })
}

export function hasClientMarker({ automatic, blocks }: Prompt): boolean {
  return automatic !== undefined || blocks.some(({ marked }) => marked !== undefined)
}

/** Index of the last block that the hint calls static; -1: it says nothing. */
export function hintedBlock({ blocks }: Prompt, hint: PlanHint | undefined): number {
  const until = hint?.staticUntil
  if (until === undefined) return -1
  const isMeant =
    typeof until === 'string'
      ? ({ tier }: Block) => tier === until
      : ({ tier, item, part }: Block) =>
          tier === 'messages' && item === until.message && Math.max(0, part) === until.block
  return blocks.findLastIndex((block) => block.canMark && isMeant(block))
}

export function breakpointsOf(
  { choices }: Chosen,
  terms: CacheTerms | undefined,
  pathOf: (at: number) => string,
): Breakpoint[] {
  const shortTtl = terms?.shortTtl ?? '5m'
  return choices.map(({ at, label, reason, tokens, saving }) => ({
    path: pathOf(at),
    tokens,
    ttl: label === LONG ? '1h' : shortTtl,
    reason,
    expectedSaving: saving,
  }))
}

export function forecastOf({ outcome }: Chosen, baseline: number): Plan<unknown>['expected'] {
  const { read, writeShort, writeLong, input, cost } = outcome
  return { read, write5m: writeShort, write1h: writeLong, input, cost, baseline }
}

/** Names of the shared prefix and of the whole prompt. */
export function prefixOf(
  root: PrefixNode,
  nodes: readonly PrefixNode[],
  chosen: Chosen,
  { staticAt, staticTokens, now }: { staticAt: number; staticTokens: number; now: number },
): Pick<Plan<unknown>, 'prefixId' | 'tailId' | 'prefixTokens' | 'prefixIsWarm'> {
  if (nodes.length === 0) return { prefixId: '', tailId: '', prefixTokens: 0, prefixIsWarm: false }
  const hit = nodes[chosen.hitAt]
  const reached = Math.max(chosen.hitAt, ...chosen.choices.map(({ at }) => at))
  const isThere = hit?.isConfirmed === true || isOld(hit, now)
  return {
    prefixId: prefixId(root, nodes, staticAt),
    tailId: prefixId(root, nodes, nodes.length - 1),
    prefixTokens: reached >= staticAt ? staticTokens : 0,
    prefixIsWarm: staticAt >= 0 && chosen.hitAt >= staticAt && isThere,
  }
}

function isOld(hit: PrefixNode | undefined, now: number): boolean {
  return hit !== undefined && now - (hit.entryUntil - hit.entryTtlMs) >= ANSWERED_AFTER_MS
}
