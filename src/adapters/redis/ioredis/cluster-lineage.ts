import { SLOTS } from './cluster-slot.ts'
import type { SlotTable } from './cluster-slot-table.ts'
import type { ServerInfo } from './discovery.ts'
import { idOf } from './server-info.ts'

interface Server {
  readonly address: string
  readonly run: string
  /** When it was last known to be alive; absent while it is. */
  lostAt?: number
}

/** `uptime_in_seconds` is rounded down. */
const ROUNDING_MS = 1000

/**
 * Whether what the nodes hold continues what they held before. A node has a past of its own: the
 * servers whose replication id it had, or of whom it was the replica.
 */
export class ClusterLineage {
  readonly #servers = new Map<string, Server>()
  readonly #served = new Uint8Array(SLOTS)

  /** A node is in use for the slots that the table gives it: is its past the one that is known? */
  accept(address: string, info: ServerInfo, table: SlotTable, now: number): 'same' | 'other' {
    const isKnown = this.#isSame(address, info) || this.#isSuccessor(address, info, now)
    const isOther = !isKnown && this.#hasServedBefore(address, table)
    this.#servers.set(idOf(info.master_replid) ?? address, { address, run: info.run_id ?? '' })
    return isOther ? 'other' : 'same'
  }

  /** From now on the slots of these nodes have a past, whoever has them next. */
  serve(addresses: ReadonlySet<string>, table: SlotTable): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const owner = table.ownerOf(slot)
      if (owner !== undefined && addresses.has(owner)) this.#served[slot] = 1
    }
  }

  lost(address: string, now: number): void {
    for (const server of this.#servers.values()) {
      if (server.address === address) server.lostAt ??= now
    }
  }

  #isSame(address: string, info: ServerInfo): boolean {
    // Where a server does not tell who it is, its address has to do.
    const server = this.#servers.get(idOf(info.master_replid) ?? address)
    return server?.address === address && server.run === (info.run_id ?? '')
  }

  /**
   * A replica took part in the life of its master. A master that was restarted from a snapshot also
   * calls its former self its predecessor, but what came after the snapshot is gone.
   */
  #isSuccessor(address: string, info: ServerInfo, now: number): boolean {
    const before = this.#servers.get(idOf(info.master_replid2) ?? '')
    if (!before) return false
    if (before.address === address && before.run !== info.run_id) return false
    const startedAt = now - Number(info.uptime_in_seconds) * 1000 - ROUNDING_MS
    return before.lostAt === undefined || startedAt <= before.lostAt
  }

  #hasServedBefore(address: string, table: SlotTable): boolean {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#served[slot] && table.ownerOf(slot) === address) return true
    }
    return false
  }
}
