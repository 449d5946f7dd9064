import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Stamp, StampMode } from '../../contracts/store.ts'
import type { Space } from './spaces.ts'

/** Stamps kept per space. */
const STAMPS_MAX = 10_000
/** How many go at once when there are more: one delete in a thousand stamps. */
const PRUNED = 1000

/**
 * When tags were last invalidated. Where the table has grown too long the oldest stamps go, and the
 * floor of the space rises to the newest of them: whatever is older than the floor counts as
 * invalidated then, which costs loads but never serves what an invalidation took away.
 */
export class StampTable {
  readonly #find: StatementSync
  readonly #put: StatementSync
  readonly #oldest: StatementSync
  readonly #prune: StatementSync

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT hard, soft FROM stamps WHERE space = ? AND tag = ?')
    this.#put = db.prepare(
      `INSERT INTO stamps (space, tag, hard, soft, latest) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (space, tag) DO UPDATE SET hard = excluded.hard, soft = excluded.soft, latest = excluded.latest`,
    )
    this.#oldest = db.prepare(
      `SELECT max(latest) AS latest, max(hard) AS hard, max(soft) AS soft
       FROM (SELECT hard, soft, latest FROM stamps WHERE space = ? ORDER BY latest LIMIT ?)`,
    )
    // Tags that were stamped together have one number and go together.
    this.#prune = db.prepare('DELETE FROM stamps WHERE space = ? AND latest <= ?')
  }

  read(space: Space, tag: string): Stamp {
    const row = this.#find.get(space.id, tag)
    return row
      ? { hard: row.hard as number, soft: row.soft as number }
      : { hard: space.hardFloor, soft: space.softFloor }
  }

  put(space: Space, tag: string, mode: StampMode, number: number): void {
    const row = this.#find.get(space.id, tag)
    const hard = mode === 'hard' ? number : ((row?.hard as number) ?? space.hardFloor)
    const soft = mode === 'soft' ? number : ((row?.soft as number) ?? space.softFloor)
    this.#put.run(space.id, tag, hard, soft, number)
    if (row) return
    space.stamps += 1
    space.changed = true
  }

  prune(space: Space): void {
    if (space.stamps <= STAMPS_MAX) return
    const oldest = this.#oldest.get(space.id, space.stamps - STAMPS_MAX + PRUNED)
    const { changes } = this.#prune.run(space.id, oldest?.latest as number)
    space.hardFloor = Math.max(space.hardFloor, oldest?.hard as number)
    space.softFloor = Math.max(space.softFloor, oldest?.soft as number)
    space.stamps -= Number(changes)
    space.changed = true
  }
}
