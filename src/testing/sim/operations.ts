import type { Cell, Tag } from './cells.ts'
import type { LinkMode } from './sim-link.ts'

export type ReadKind = 'call' | 'detail' | 'signal' | 'refresh' | 'peek' | 'get' | 'getMany'
/** `silent`: the database changes and no cache is told. */
export type WriteKind = 'set' | 'invalidate' | 'silent' | 'set-then-invalidate'
export type OriginBehaviour =
  | 'ok'
  | 'slow'
  | 'fails'
  | 'fails-slowly'
  | 'skips'
  | 'refused'
  | 'hangs'
export type Stamping = 'hard' | 'soft'

/** What the caches are asked to do. */
export type Call =
  | { readonly type: 'read'; readonly node: number; readonly cell: Cell; readonly how: ReadKind }
  | { readonly type: 'many'; readonly node: number; readonly settle: boolean }
  /** Every cell on every node. */
  | { readonly type: 'sweep' }
  | { readonly type: 'write'; readonly node: number; readonly cell: Cell; readonly how: WriteKind }
  | { readonly type: 'tag'; readonly node: number; readonly tag: Tag; readonly mode: Stamping }
  | { readonly type: 'clear'; readonly node: number }
  /** Every node wants the cell, whose origin fails after a while. */
  | { readonly type: 'burst'; readonly cell: Cell; readonly ms: number }
  /** The caller that has waited longest with a signal gives up. */
  | { readonly type: 'abort' }
  | {
      readonly type: 'origin'
      readonly cell: Cell
      readonly behaviour: OriginBehaviour
      readonly ms: number
    }

/** What happens to them. */
export type Fault =
  | { readonly type: 'pause'; readonly node: number; readonly ms: number }
  | { readonly type: 'crash'; readonly node: number }
  | {
      readonly type: 'link'
      readonly node: number
      readonly which: 'data' | 'bus' | 'both'
      readonly mode: LinkMode
    }
  | { readonly type: 'cut'; readonly node: number }
  | { readonly type: 'bus'; readonly node: number; readonly lost: number; readonly twice: number }
  | { readonly type: 'skew'; readonly node: number; readonly ms: number }
  | { readonly type: 'heal' }
  | { readonly type: 'lag'; readonly ms: number }
  | { readonly type: 'failover'; readonly ms: number }
  | { readonly type: 'restart'; readonly ms: number }
  | { readonly type: 'flush' }
  | { readonly type: 'evict'; readonly share: number; readonly kind: EvictedKind }
  | { readonly type: 'forget-scripts' }

export type EvictedKind = 'any' | 'stamp' | 'sequence' | 'lease' | 'entry'

/** At an instant of the virtual time. */
export type Operation = { readonly at: number } & (Call | Fault)

/** How caches and functions of one simulation are set up. */
export interface WorldSettings {
  readonly nodes: number
  /** All operations are on this cell: fewer things happen, and more of them meet. */
  readonly focus: Cell | undefined
  readonly ttl: number
  readonly grace: number
  readonly softTimeout: number
  readonly hardTimeout: number
  readonly completeInBackground: boolean
  readonly refreshAhead: number | false
  readonly errorTtl: number
  readonly l1Ttl: number
  readonly manyOrigin: boolean
  /** Keys are cut into partitions that lie on several nodes, as in Redis Cluster. */
  readonly isClustered: boolean
}

/** One random life of a cluster, as data: operations can be left out of it. */
export interface Schedule {
  readonly seed: number
  readonly settings: WorldSettings
  readonly operations: readonly Operation[]
}

const FAULT_TYPES: ReadonlySet<Operation['type']> = new Set([
  'pause',
  'crash',
  'link',
  'cut',
  'bus',
  'skew',
  'lag',
  'failover',
  'restart',
  'flush',
  'evict',
  'forget-scripts',
])

export function isFault({ type }: Operation): boolean {
  return FAULT_TYPES.has(type)
}
