import type { CachePlan, OpenaiCacheBehaviour, WriteTtl } from './cache-plan.ts'

/** How a call is billed: tokens of its prompt by class. They add up to `total`. */
export interface OpenaiBill {
  readonly read: number
  readonly write30m: number
  readonly write12h: number
  readonly uncached: number
  readonly total: number
}

/** A call that was looked up and has not yet written. */
export interface OpenaiCacheCall {
  readonly bill: OpenaiBill
  /** The answer begins: what the call writes can be read from now on. */
  commit(firstByteAt: number): void
}

/** Prompt caches of all keys. */
export interface OpenaiCache {
  /**
   * @param scope calls of one never see what another's wrote
   * @param startedAt instant of any clock, in milliseconds; lifetimes count from it
   */
  begin(plan: CachePlan, scope: string, startedAt: number): OpenaiCacheCall
}

interface Entry {
  readonly availableAt: number
  readonly ttlMs: number
  expiresAt: number
}

/** Entries are looked through for expired ones when there are so many more. */
const SWEEP_AFTER = 4096

export function openaiCache({ refresh = 'write' }: OpenaiCacheBehaviour): OpenaiCache {
  const entries = new Map<string, Entry>()
  let sweepAt = SWEEP_AFTER

  function sweep(now: number): void {
    if (entries.size < sweepAt) return
    for (const [key, { expiresAt }] of entries) if (expiresAt <= now) entries.delete(key)
    sweepAt = entries.size + SWEEP_AFTER
  }

  return {
    begin(plan, scope, startedAt) {
      const keyOf = (hash: string): string => `${scope}\n${hash}`
      const hit = plan.reads.findLast(({ hash }) => {
        const entry = entries.get(keyOf(hash))
        return entry && entry.availableAt <= startedAt && startedAt < entry.expiresAt
      })
      const found = hit && entries.get(keyOf(hit.hash))
      if (found && refresh === 'read') {
        found.expiresAt = Math.max(found.expiresAt, startedAt + found.ttlMs)
      }
      return {
        bill: billOf(plan, hit?.tokens ?? 0),
        commit(firstByteAt) {
          sweep(firstByteAt)
          for (const { hash, tokens, ttlMs, billed } of plan.writes) {
            // What is paid for is written beyond the hit only; what is free, each time.
            if (billed !== undefined && tokens <= (hit?.tokens ?? 0)) continue
            const key = keyOf(hash)
            const fresh = { ttlMs, availableAt: firstByteAt, expiresAt: startedAt + ttlMs }
            entries.set(key, merged(entries.get(key), fresh, startedAt))
          }
        },
      }
    },
  }
}

/** Of two that wrote the same, whichever came first can be read first, and the later end holds. */
function merged(known: Entry | undefined, fresh: Entry, startedAt: number): Entry {
  if (known === undefined || known.expiresAt <= startedAt) return fresh
  return {
    ttlMs: fresh.ttlMs,
    availableAt: Math.min(known.availableAt, fresh.availableAt),
    expiresAt: Math.max(known.expiresAt, fresh.expiresAt),
  }
}

function billOf({ total, writes }: CachePlan, read: number): OpenaiBill {
  const written: Record<WriteTtl, number> = { '30m': 0, '12h': 0 }
  let paid = read
  for (const { tokens, billed } of writes) {
    if (billed === undefined || tokens <= paid) continue
    written[billed] += tokens - paid
    paid = tokens
  }
  return {
    read,
    write30m: written['30m'],
    write12h: written['12h'],
    uncached: total - paid,
    total,
  }
}
