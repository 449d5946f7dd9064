import type { Block, Prompt } from './block.ts'
import type { PlaceStats, Reuse } from './place-stats.ts'
import { AGAIN, placeOf, type TailPlace, tailPlaceOf } from './places.ts'
import type { PrefixNode, PrefixTree } from './prefix-tree.ts'

/** The way of a request through the tree of known prefixes, after it was added to it. */
export interface Walk {
  /** The node of each block. */
  readonly nodes: readonly PrefixNode[]
  /** How many of them were known before. */
  readonly known: number
  readonly tail: TailPlace
  /** Kinds of the places that are new, by index. */
  readonly places: ReadonlyMap<number, string>
  /** Of the new places, as believed before this request. */
  readonly reuse: ReadonlyMap<string, Reuse>
}

/** What a walk learns from and teaches. */
export interface WalkMemory {
  readonly tree: PrefixTree
  readonly statsOf: (place: string) => PlaceStats
  readonly shortMs: number
  readonly longMs: number
}

/** Finds the blocks of a prompt in the tree, learns from where it leaves known ways, and adds the rest. */
export function walk(
  root: PrefixNode,
  prompt: Prompt,
  now: number,
  hasThread: boolean,
  memory: WalkMemory,
): Walk {
  const { blocks } = prompt
  const nodes = knownWay(memory.tree, root, blocks)
  const known = nodes.length
  const last = nodes[known - 1]
  const extendsKnown = last?.isOpenTail === true && known < blocks.length
  if (last) leave(last, now, known < blocks.length, memory)

  const tail = tailPlaceOf(prompt, extendsKnown, hasThread)
  const places = new Map<number, string>()
  const reuse = new Map<string, Reuse>()
  let parent = last ?? root
  for (let at = known; at < blocks.length; at++) {
    parent = memory.tree.add(parent, (blocks[at] as Block).key)
    parent.touchedAt = now
    nodes.push(parent)
    const place = placeOf(blocks, at, tail)
    if (!place) continue
    const stats = memory.statsOf(place)
    if (!reuse.has(place)) reuse.set(place, stats.reuse(now))
    places.set(at, place)
    stats.open(parent, now)
  }
  if (blocks.length > 0) parent.isOpenTail = true
  memory.tree.use(nodes)
  return { nodes, known, tail, places, reuse }
}

function knownWay(tree: PrefixTree, root: PrefixNode, blocks: readonly Block[]): PrefixNode[] {
  const nodes: PrefixNode[] = []
  let node: PrefixNode | undefined = root
  for (const { key } of blocks) {
    node = tree.find(node, key)
    if (!node) break
    nodes.push(node)
  }
  return nodes
}

/** A request has left the known ways at `node`, or ended there. */
function leave(node: PrefixNode, now: number, goesOn: boolean, memory: WalkMemory): void {
  const gap = now - node.touchedAt
  node.touchedAt = now
  node.question?.answer(gap)
  node.question = undefined
  if (node.isOpenTail && goesOn) {
    // That a conversation goes on says nothing of whether it will branch here.
    node.isOpenTail = false
    return
  }
  if (gap < memory.shortMs) node.hitsShort++
  else if (gap < memory.longMs) node.hitsLong++
  else node.hitsLate++
}

/** How likely a known prefix is left again at its end, by what has happened there. */
export function reuseOfKnown(node: PrefixNode): Reuse {
  const { hitsShort, hitsLong, hitsLate } = node
  const short = (AGAIN + hitsShort) / (1 + hitsShort + hitsLong + hitsLate)
  const late = (0.3 + hitsLong) / (1 + hitsLong + hitsLate)
  return { short, long: short + (1 - short) * late }
}
