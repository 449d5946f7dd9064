import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type {
  Fence,
  FruitlessLoads,
  KnownVersions,
  LoadEnd,
  ReadReply,
  ReadRequest,
  StampMode,
  StoredRecord,
  WriteReply,
  WriteRequest,
} from '../../contracts/store.ts'
import { FruitlessTable } from './fruitless-table.ts'
import { advance, type Space, Spaces } from './spaces.ts'
import { StampTable } from './stamp-table.ts'
import { Upkeep } from './upkeep.ts'

const NO_BYTES = new Uint8Array(0)

/** Recency is noted at most this often per entry. */
const TOUCHED_EVERY_MS = 60_000

/**
 * The operations of the contract on an open file. Each runs inside a transaction of the caller, who
 * has called `begin`; none keeps anything between transactions but prepared statements.
 */
export class CacheFile {
  readonly db: DatabaseSync
  readonly upkeep: Upkeep
  readonly #spaces: Spaces
  readonly #stamps: StampTable
  readonly #fruitless: FruitlessTable
  readonly #getEntry: StatementSync
  readonly #putEntry: StatementSync
  readonly #dropEntry: StatementSync
  readonly #getLease: StatementSync
  readonly #putLease: StatementSync
  readonly #dropLease: StatementSync
  readonly #renewLease: StatementSync
  readonly #releaseLease: StatementSync

  constructor(db: DatabaseSync, maxBytes: number) {
    this.db = db
    this.upkeep = new Upkeep(db, maxBytes)
    this.#spaces = new Spaces(db)
    this.#stamps = new StampTable(db)
    this.#fruitless = new FruitlessTable(db)
    this.#getEntry = db.prepare(
      'SELECT version, epoch, fresh_until, used, bytes FROM entries WHERE key = ? AND keep_until > ?',
    )
    this.#putEntry = db.prepare(
      `INSERT INTO entries (key, space, version, epoch, fresh_until, keep_until, used, bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET space = excluded.space, version = excluded.version,
         epoch = excluded.epoch, fresh_until = excluded.fresh_until,
         keep_until = excluded.keep_until, used = excluded.used, bytes = excluded.bytes`,
    )
    this.#dropEntry = db.prepare('DELETE FROM entries WHERE key = ?')
    this.#getLease = db.prepare('SELECT token FROM leases WHERE key = ? AND until > ?')
    this.#putLease = db.prepare(
      `INSERT INTO leases (key, token, until) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until`,
    )
    this.#dropLease = db.prepare('DELETE FROM leases WHERE key = ?')
    this.#renewLease = db.prepare(
      'UPDATE leases SET until = ? WHERE key = ? AND token = ? AND until > ?',
    )
    this.#releaseLease = db.prepare(
      'DELETE FROM leases WHERE key = ? AND token = ? RETURNING until',
    )
  }

  begin(mode: 'read' | 'write'): void {
    this.#spaces.forget()
    this.db.exec(mode === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN')
  }

  commit(mode: 'read' | 'write'): void {
    this.#spaces.save()
    this.db.exec('COMMIT')
    if (mode === 'write') this.upkeep.noteCommit()
  }

  hasSpace(name: string): boolean {
    return this.#spaces.find(name) !== undefined
  }

  makeSpace(name: string): void {
    this.#spaces.findOrMake(name)
  }

  /** `undefined`: it needs a write transaction (a lease to be granted, a space to be made). */
  read(
    spaceName: string,
    now: number,
    request: ReadRequest,
    mode: 'read' | 'write',
  ): ReadReply | undefined {
    const space =
      mode === 'write' ? this.#spaces.findOrMake(spaceName) : this.#spaces.find(spaceName)
    if (!space) return undefined
    const records: (StoredRecord | undefined)[] = []
    const leases: ('granted' | 'held' | undefined)[] = []
    const fruitless: (FruitlessLoads | undefined)[] = []
    for (const [at, key] of request.keys.entries()) {
      const row = this.#getEntry.get(key, now)
      const due =
        request.lease !== undefined &&
        (request.lease.when === 'always' ||
          row === undefined ||
          (row.fresh_until as number) <= now ||
          row.epoch !== space.epoch)
      const lease = due ? this.#lease(key, now, request.lease, mode) : undefined
      if (lease === 'wanted') return undefined
      leases.push(lease)
      fruitless.push(lease && this.#fruitless.get(key, now))
      records.push(row && recordOf(row, at, request.known))
      if (row && (row.used as number) <= now - TOUCHED_EVERY_MS) this.upkeep.touch(key, now)
    }
    const position = { sequence: space.sequence, epoch: space.epoch }
    return {
      records,
      leases,
      ...(request.lease ? { fruitless } : {}),
      stamps: request.tags.map((tag) => this.#stamps.read(space, tag)),
      positions: request.keys.map(() => position),
      ...position,
      now,
    }
  }

  write(spaceName: string, now: number, request: WriteRequest): WriteReply {
    const space = this.#spaces.findOrMake(spaceName)
    const { key, bytes, freshUntil, keepUntil, fence } = request
    const reason = fence && this.#refusal(space, now, key, fence)
    if (reason) return { stored: false, reason }
    const version = advance(space)
    this.#putEntry.run(key, space.id, version, space.epoch, freshUntil, keepUntil, now, bytes)
    this.#dropLease.run(key)
    this.#fruitless.drop(key)
    this.upkeep.noteWrite(bytes.byteLength)
    return { stored: true, version }
  }

  delete(spaceName: string, keys: readonly string[]): { sequence: number } {
    const space = this.#spaces.findOrMake(spaceName)
    for (const key of keys) {
      this.#dropEntry.run(key)
      this.#dropLease.run(key)
      this.#fruitless.drop(key)
    }
    return { sequence: keys.length > 0 ? advance(space) : space.sequence }
  }

  stamp(spaceName: string, tags: readonly string[], mode: StampMode): { sequence: number } {
    const space = this.#spaces.findOrMake(spaceName)
    if (tags.length === 0) return { sequence: space.sequence }
    const sequence = advance(space)
    for (const tag of tags) this.#stamps.put(space, tag, mode, sequence)
    this.#stamps.prune(space)
    return { sequence }
  }

  renew(now: number, key: string, token: string, ms: number): boolean {
    const ours = Number(this.#renewLease.run(now + ms, key, token, now).changes) > 0
    if (ours) this.#fruitless.keep(key, now + ms, now)
    return ours
  }

  release(now: number, key: string, token: string, end: LoadEnd): void {
    const lease = this.#releaseLease.get(key, token)
    if (lease !== undefined && (lease.until as number) > now) this.#fruitless.note(key, end, now)
  }

  #lease(
    key: string,
    now: number,
    request: { token: string; ms: number },
    mode: 'read' | 'write',
  ): 'granted' | 'held' | 'wanted' {
    const holder = this.#getLease.get(key, now)
    if (holder !== undefined && holder.token !== request.token) return 'held'
    if (mode === 'read') return 'wanted'
    this.#putLease.run(key, request.token, now + request.ms)
    this.#fruitless.keep(key, now + request.ms, now)
    return 'granted'
  }

  #refusal(
    space: Space,
    now: number,
    key: string,
    fence: Fence,
  ): 'epoch-changed' | 'lease-lost' | 'tag-changed' | undefined {
    if (fence.epoch !== space.epoch) return 'epoch-changed'
    if (fence.token === undefined || this.#getLease.get(key, now)?.token !== fence.token) {
      return 'lease-lost'
    }
    for (const tag of fence.tags) {
      const { hard, soft } = this.#stamps.read(space, tag)
      if (hard > fence.sequence || soft > fence.sequence) return 'tag-changed'
    }
    return undefined
  }
}

/** Of a record that the caller has, only what it asked for: the rest need not leave this thread. */
function recordOf(
  row: Record<string, unknown>,
  at: number,
  known: KnownVersions | undefined,
): StoredRecord {
  const bytes = (row.bytes ?? NO_BYTES) as Uint8Array
  const version = row.version as number
  return { bytes: known?.versions[at] === version ? bytes.slice(0, known.bytes) : bytes, version }
}
