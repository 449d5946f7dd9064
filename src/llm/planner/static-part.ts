import type { Prompt } from './block.ts'
import { digestKey } from './digest.ts'
import type { PrefixNode } from './prefix-tree.ts'
import type { Walk } from './walk.ts'

/**
 * Index of the last block of what other requests share: the end of the tools or of the system prompt, or
 * the last point at which requests were seen to part. -1: nothing.
 *
 * A conversation that goes on does not move it.
 */
export function staticEnd({ blocks }: Prompt, { nodes, known }: Walk): number {
  const beginning = blocks.findLastIndex(({ tier }) => tier !== 'messages')
  for (let at = known - 1; at > beginning; at--) {
    const { hitsShort, hitsLong, hitsLate } = nodes[at] as PrefixNode
    if (hitsShort + hitsLong + hitsLate > 0) return at
  }
  // Where requests were seen to part inside of it, only what comes before is shared by all.
  const isShared = (nodes[beginning]?.seen ?? 0) > 1
  if (isShared || beginning < 0) return beginning
  const parting = lastParting(nodes, Math.min(known, beginning))
  return parting >= 0 ? parting : beginning
}

function lastParting(nodes: readonly PrefixNode[], before: number): number {
  for (let at = before - 1; at >= 0; at--) {
    const { hitsShort, hitsLong, hitsLate } = nodes[at] as PrefixNode
    if (hitsShort + hitsLong + hitsLate > 1) return at
  }
  return -1
}

/** Names a prefix; the same in all processes. */
export function prefixId(root: PrefixNode, nodes: readonly PrefixNode[], end: number): string {
  let at = end
  while (at >= 0 && nodes[at]?.id === '') at--
  let id = nodes[at]?.id ?? digestKey(root.key)
  // A conversation grows by a few blocks: what comes before them has its name already.
  for (at++; at <= end; at++) {
    const node = nodes[at] as PrefixNode
    id = digestKey(`${id}\n${node.key}`)
    node.id = id
  }
  return id
}
