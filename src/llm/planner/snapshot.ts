import { Buffer } from 'node:buffer'
import { zlib } from '../../kernel/builtin.ts'
import type { BoundedMap } from './bounded-map.ts'
import type { ModelMemory } from './model-memory.ts'
import type { PlaceCounts } from './place-stats.ts'
import type { PrefixNode, PrefixTree } from './prefix-tree.ts'
import { RouteMemory } from './route-memory.ts'

/** What a snapshot holds. */
export interface PlannerMemory {
  readonly tree: PrefixTree
  readonly routes: BoundedMap<RouteMemory>
  readonly models: BoundedMap<ModelMemory>
}

/** Clocks of two processes share nothing but the time since 1970. */
export interface Instants {
  readonly now: number
  readonly wall: number
}

const MAGIC = 'rc-prefix-plan:1\n'
const MOST_BYTES = 256 * 1024 * 1024

/** Number of the parent or name of the root, key, and what was counted; instants as ages. */
type NodeRow = [
  parent: number | string,
  key: string,
  seen: number,
  hitsShort: number,
  hitsLong: number,
  hitsLate: number,
  isOpenTail: 0 | 1,
  age: number,
  entryTtlMs: number,
  entryLeftMs: number,
]

interface Contents {
  readonly wall: number
  readonly nodes: readonly NodeRow[]
  readonly routes: ReadonlyArray<
    readonly [key: string, name: string, requests: number, places: Array<[string, PlaceCounts]>]
  >
  readonly ratios: ReadonlyArray<readonly [model: string, ratio: number]>
}

export function takeSnapshot(memory: PlannerMemory, { now, wall }: Instants): Uint8Array {
  const contents: Contents = {
    wall,
    nodes: rowsOf(memory.tree, now),
    routes: [...memory.routes.entries()].map(([key, route]) => [
      key,
      route.name,
      route.requests,
      [...route.places].map(([place, stats]) => [place, stats.counts()]),
    ]),
    ratios: [...memory.models.entries()].flatMap(([model, { ratio }]) =>
      ratio === undefined ? [] : [[model, ratio] as const],
    ),
  }
  return zlib().deflateRawSync(MAGIC + JSON.stringify(contents))
}

function rowsOf(tree: PrefixTree, now: number): NodeRow[] {
  const numbers = new Map<PrefixNode, number>()
  const rows: NodeRow[] = []
  for (const node of tree.nodes()) {
    numbers.set(node, rows.length)
    const parent = node.parent as PrefixNode
    rows.push([
      numbers.get(parent) ?? parent.key,
      node.key,
      node.seen,
      node.hitsShort,
      node.hitsLong,
      node.hitsLate,
      node.isOpenTail ? 1 : 0,
      Math.round(now - node.touchedAt),
      node.entryTtlMs,
      Math.max(0, Math.round(node.entryUntil - now)),
    ])
  }
  return rows
}

/** Adds what a snapshot holds to what is known; bytes that are no snapshot of this version change nothing. */
export function applySnapshot(
  bytes: Uint8Array,
  memory: PlannerMemory,
  instants: Instants,
  modelOf: (name: string) => ModelMemory,
  ttls: { readonly shortMs: number; readonly longMs: number },
): void {
  const contents = read(bytes)
  if (!contents) return
  const passed = Math.max(0, instants.wall - contents.wall)
  const then = instants.now - passed
  const nodes: PrefixNode[] = []
  for (const row of contents.nodes) {
    const parent = typeof row[0] === 'string' ? memory.tree.root(row[0]) : nodes[row[0]]
    if (!parent) return
    nodes.push(nodeOf(memory.tree, parent, row, then))
  }
  // What a node grows from was used last.
  for (const node of nodes.toReversed()) memory.tree.touch(node)
  memory.tree.trim()
  for (const [key, name, requests, places] of contents.routes) {
    if (memory.routes.get(key)) continue
    const route = new RouteMemory(name)
    route.requests = requests
    for (const [place, counts] of places) {
      route.statsOf(place, ttls.shortMs, ttls.longMs).adopt(counts)
    }
    memory.routes.set(key, route)
  }
  for (const [model, ratio] of contents.ratios) modelOf(model).ratio ??= ratio
}

function nodeOf(tree: PrefixTree, parent: PrefixNode, row: NodeRow, then: number): PrefixNode {
  const [, key, seen, hitsShort, hitsLong, hitsLate, isOpenTail, age, ttlMs, leftMs] = row
  const known = tree.find(parent, key)
  // What this process has seen itself is newer.
  if (known) return known
  const node = tree.add(parent, key)
  node.seen = seen
  node.hitsShort = hitsShort
  node.hitsLong = hitsLong
  node.hitsLate = hitsLate
  node.isOpenTail = isOpenTail === 1
  node.touchedAt = then - age
  node.entryTtlMs = ttlMs
  if (leftMs > 0) node.entryUntil = then + leftMs
  return node
}

function read(bytes: Uint8Array): Contents | undefined {
  try {
    const text = Buffer.from(
      zlib().inflateRawSync(bytes, { maxOutputLength: MOST_BYTES }),
    ).toString()
    if (!text.startsWith(MAGIC)) return undefined
    const contents = JSON.parse(text.slice(MAGIC.length)) as Contents
    return isSound(contents) ? contents : undefined
  } catch {
    return undefined
  }
}

/** Rows are numbers and text, each parent before what grows from it. */
function isSound({ wall, nodes, routes, ratios }: Contents): boolean {
  if (!Number.isFinite(wall) || ![nodes, routes, ratios].every(Array.isArray)) return false
  const areNodes = nodes.every(
    (row, at) =>
      Array.isArray(row) &&
      (typeof row[0] === 'string' || (Number.isInteger(row[0]) && row[0] >= 0 && row[0] < at)) &&
      typeof row[1] === 'string' &&
      row.length === 10 &&
      row.slice(2).every((value) => Number.isFinite(value)),
  )
  const areRoutes = routes.every(
    (row) =>
      Array.isArray(row) &&
      typeof row[0] === 'string' &&
      typeof row[1] === 'string' &&
      Number.isFinite(row[2]) &&
      Array.isArray(row[3]) &&
      row[3].every((place) => typeof place?.[0] === 'string' && isCounts(place[1])),
  )
  const areRatios = ratios.every(
    (row) =>
      Array.isArray(row) &&
      typeof row[0] === 'string' &&
      Number.isFinite(row[1]) &&
      row[1] > 0 &&
      row[1] < 100,
  )
  return areNodes && areRoutes && areRatios
}

function isCounts(counts: unknown): boolean {
  return (
    Array.isArray(counts) &&
    counts.length === 4 &&
    counts.every((one) => Number.isFinite(one) && one >= 0)
  )
}
