import { ENTRY_COPY, type Entry } from '../l1/entry.ts'

/** Where a value came from. */
export type Source = 'l1' | 'l2' | 'origin' | 'stale' | 'fallback'

/** Why a read ended as it did. */
export type OutcomeKind =
  /** Fresh in L1. */
  | 'hit'
  /** Fresh in L2, now in L1 too. */
  | 'promoted'
  /** In L1, and L2 has confirmed by the head of its record that this is what it holds. */
  | 'revalidated'
  /** The origin was called. */
  | 'loaded'
  /** Another caller's load was under way and served this one too. */
  | 'coalesced'
  /** Stale, at once; a refresh runs in the background. */
  | 'stale-while-revalidate'
  /** Stale, because the origin took longer than `softTimeout` or `hardTimeout`. */
  | 'stale-timeout'
  /** Stale, because the origin failed. */
  | 'stale-error'
  /** Stale, because too many loads were running already. */
  | 'stale-capped'
  /** The load has failed, nothing stale was there, and the guard of the function has a fallback. */
  | 'fallback'
  /** L1's copy could not be compared with L2, which is away; it is fresh by its own ttl. */
  | 'degraded'

export interface Outcome<V = unknown> {
  readonly value: V
  readonly source: Source
  readonly kind: OutcomeKind
  readonly createdAt: number
  /** Every caller gets a copy of the value: it is stored, and could not be frozen. */
  readonly copy?: boolean
}

export function entryOutcome(entry: Entry, source: Source, kind: OutcomeKind): Outcome {
  const { value, createdAt } = entry
  const copy = entry.has(ENTRY_COPY)
  return { value, source, kind, createdAt, copy }
}
