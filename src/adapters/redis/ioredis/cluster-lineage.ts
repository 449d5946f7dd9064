import { SLOTS } from './cluster-slot.ts'
import type { SlotTable } from './cluster-slot-table.ts'
import type { ServerInfo } from './discovery.ts'
import { idOf } from './server-info.ts'

/** A node as the cluster knows it: its id outlives restarts, and changes of its address. */
export interface Member {
  readonly id: string
  readonly address: string
}

interface Past {
  readonly id: string
  readonly address: string
  /** Of the process; empty where it does not say. */
  readonly run: string
  readonly replication: string | undefined
  /** When it was last known to be alive; absent while it is. */
  lostAt?: number
  /** Another node has carried on from it: what it holds itself is of a branch that ended. */
  isSucceeded?: boolean
}

/** `uptime_in_seconds` is the difference of two instants without their fractions. */
const ROUNDING_MS = 1000

/**
 * Whether what the nodes hold continues what they held before. Old data of another past can come
 * into a slot in three ways only: a process loads it when it starts; a replica is promoted that did
 * not take part in the life of the master it succeeds; a master that was succeeded is believed again.
 * Slots that move bring their keys along, sequences too; a node that joins has to be empty; and one
 * that starts empty has no sequences, so that its parts begin new epochs by themselves.
 */
export class ClusterLineage {
  readonly #pasts = new Map<string, Past>()
  readonly #served = new Uint8Array(SLOTS)

  /** A node is in use for the slots that the table gives it: is its past the one that is known? */
  accept(member: Member, info: ServerInfo, table: SlotTable, now: number): 'same' | 'other' {
    const isOther = !this.#continues(member, info, table, now) && this.#takesOver(member, table)
    this.#pasts.set(member.id, pastOf(member, info))
    return isOther ? 'other' : 'same'
  }

  /** A node that is in use says what it is: the first replica gives a master another id. */
  note(member: Member, info: ServerInfo): void {
    const past = this.#pasts.get(member.id)
    if (past && info.role !== 'slave' && past.run === (info.run_id ?? '')) {
      this.#pasts.set(member.id, { ...past, ...pastOf(member, info) })
    }
  }

  /** From now on the slots of these nodes have a past, whoever has them next. */
  serve(addresses: ReadonlySet<string>, table: SlotTable): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const owner = table.ownerOf(slot)
      if (owner !== undefined && addresses.has(owner)) this.#served[slot] = 1
    }
  }

  lost(address: string, now: number): void {
    for (const past of this.#pasts.values()) {
      if (past.address === address) past.lostAt ??= now
    }
  }

  #continues(member: Member, info: ServerInfo, table: SlotTable, now: number): boolean {
    const past = this.#pasts.get(member.id)
    // An heir that is reached again still names its predecessor, who has been succeeded by then.
    if (past && isUnchanged(past, info)) return !past.isSucceeded
    const before = this.#predecessor(info)
    if (before && (before.id !== member.id || before.run === info.run_id)) {
      const isHeir = !before.isSucceeded && hasLivedSince(before.lostAt, info, now)
      // One that keeps slots of its own has only lent its data to a node that began anew.
      if (isHeir && !table.addressesOf(before.id).some((one) => table.isOwner(one))) {
        before.isSucceeded = true
      }
      return isHeir
    }
    return past ? isSameServer(past, member, info) : hasJoinedEmpty(info)
  }

  #predecessor(info: ServerInfo): Past | undefined {
    const id = idOf(info.master_replid2)
    if (id === undefined) return undefined
    for (const past of this.#pasts.values()) if (past.replication === id) return past
    return undefined
  }

  #takesOver({ address }: Member, table: SlotTable): boolean {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#served[slot] && table.ownerOf(slot) === address) return true
    }
    return false
  }
}

function pastOf({ id, address }: Member, info: ServerInfo): Past {
  return { id, address, run: info.run_id ?? '', replication: idOf(info.master_replid) }
}

function isUnchanged({ run, replication }: Past, info: ServerInfo): boolean {
  return run !== '' && run === info.run_id && replication === idOf(info.master_replid)
}

function isSameServer(past: Past, { address }: Member, info: ServerInfo): boolean {
  // Where a server does not tell who it is, its address has to do.
  if (!info.run_id || past.run === '') return past.run === '' && past.address === address
  if (past.run !== info.run_id) return startedEmpty(info)
  // It has another id: its first replica gave it one, or it was promoted after having been the
  // replica of a node of whom nothing is known.
  return !past.isSucceeded && !idOf(info.master_replid2)
}

function startedEmpty({ aof_enabled, rdb_last_load_keys_loaded }: ServerInfo): boolean {
  return aof_enabled === '0' && rdb_last_load_keys_loaded === '0'
}

/** Servers before Redis 7 do not say how much they loaded, but a cluster takes in empty ones only. */
function hasJoinedEmpty(info: ServerInfo): boolean {
  if (!info.run_id || idOf(info.master_replid2)) return false
  return (info.rdb_last_load_keys_loaded ?? '0') === '0'
}

/**
 * A replica that was promoted calls the old master its predecessor, and so does one that was started
 * from a snapshot and found no master any more: but what came after the snapshot is gone.
 */
function hasLivedSince(lostAt: number | undefined, info: ServerInfo, now: number): boolean {
  const startedAt = now - Number(info.uptime_in_seconds) * 1000 + ROUNDING_MS
  return lostAt === undefined || startedAt <= lostAt
}
