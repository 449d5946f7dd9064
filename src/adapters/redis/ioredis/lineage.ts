import type { Lineage } from '../transport.ts'
import type { ServerInfo } from './discovery.ts'
import { idOf } from './server-info.ts'

/** `uptime_in_seconds` is the difference of two instants without their fractions. */
const ROUNDING_MS = 1000

interface Past {
  readonly address: string
  readonly replicationId: string | undefined
  lostAt?: number
}

/** Whether each server that is reached has the history of the one before. */
export class LineageTrail {
  #past: Past | undefined

  /** `address`: what tells servers apart where they do not tell who they are. */
  arrive(address: string, info: ServerInfo, now: number): Lineage {
    const past = this.#past
    const replicationId = idOf(info.master_replid)
    this.#past = { address, replicationId }
    if (!past) return 'first'
    if (!replicationId || !past.replicationId) return past.address === address ? 'same' : 'other'
    if (replicationId === past.replicationId) return 'same'
    return past.replicationId === idOf(info.master_replid2) && hasLivedSince(past.lostAt, info, now)
      ? 'same'
      : 'other'
  }

  lost(now: number): void {
    if (this.#past) this.#past.lostAt ??= now
  }
}

/**
 * A replica that was promoted calls the old master its predecessor, and so does a master that was
 * restarted from a snapshot: but what came after the snapshot is gone, deletions too.
 */
function hasLivedSince(lostAt: number | undefined, info: ServerInfo, now: number): boolean {
  const startedAt = now - Number(info.uptime_in_seconds) * 1000 + ROUNDING_MS
  return Number.isNaN(startedAt) || lostAt === undefined || startedAt <= lostAt
}
