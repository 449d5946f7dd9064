import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { pragma } from './driver.ts'

/** Rows of one slice: a request that arrives during it waits a few milliseconds at most. */
const SLICE = 256
/** Rows that make room for a write that waits: no more than it needs. */
const STEP = 8
const SWEPT_EVERY_MS = 60_000
const LOOKED_AT_EVERY_WRITES = 32
/** Eviction starts above the first share of the limit and goes on below the second. */
const EVICT_ABOVE = 0.9
const EVICT_BELOW = 0.8
const TOUCHED_MAX = 1000
/** As SQLite does by itself at 1000 pages, but after the callers have their answers: it syncs twice. */
const CHECKPOINT_BYTES = 4 * 1024 ** 2
/** What a transaction writes to the log besides the values, roughly. */
const COMMIT_BYTES = 5 * 4096

/**
 * Keeps the file within its bound: entries past their end go first, then those used longest ago.
 *
 * `used` is the last write, or a later read noted at most once a minute and written together with
 * whatever is written next, so that a read never takes the write lock for it. That is near enough to
 * LRU for entries that live minutes or more, at the price of plain write order.
 */
export class Upkeep {
  evicted = 0
  readonly #db: DatabaseSync
  readonly #pageSize: number
  readonly #touched = new Map<string, number>()
  readonly #use: StatementSync
  readonly #expire: StatementSync
  readonly #evict: StatementSync
  readonly #dropLeases: StatementSync
  readonly #dropFruitless: StatementSync
  #maxPages = 0
  #writes = 0
  #logged = 0
  #evicting = true
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(db: DatabaseSync, maxBytes: number) {
    this.#db = db
    this.#pageSize = Number(pragma(db, 'page_size'))
    this.limit(maxBytes)
    this.#use = db.prepare('UPDATE entries SET used = ? WHERE key = ?')
    this.#expire = db.prepare(
      `DELETE FROM entries WHERE rowid IN
         (SELECT rowid FROM entries WHERE keep_until <= ? ORDER BY keep_until LIMIT ${SLICE})`,
    )
    this.#evict = db.prepare(
      'DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries ORDER BY used LIMIT ?)',
    )
    this.#dropLeases = db.prepare('DELETE FROM leases WHERE until <= ?')
    this.#dropFruitless = db.prepare('DELETE FROM fruitless WHERE until <= ?')
  }

  limit(maxBytes: number): void {
    this.#maxPages = Math.floor(maxBytes / this.#pageSize)
    // SQLite keeps to the present size where that is more; the file shrinks slice by slice then.
    pragma(this.#db, `max_page_count = ${this.#maxPages}`)
  }

  touch(key: string, now: number): void {
    this.#touched.set(key, now)
  }

  noteWrite(bytes: number): void {
    this.#writes += 1
    this.#logged += bytes
  }

  noteCommit(): void {
    this.#logged += COMMIT_BYTES
  }

  /** One slice of work, outside of any transaction, after the callers have their answers. */
  run(now: number): void {
    const checkpoint = this.#logged >= CHECKPOINT_BYTES
    this.#tidy(now, checkpoint)
    if (!checkpoint) return
    this.#logged = 0
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  }

  #tidy(now: number, checkpoint: boolean): void {
    const look = checkpoint || this.#evicting || this.#writes >= LOOKED_AT_EVERY_WRITES
    const sweep = now - this.#sweptAt >= SWEPT_EVERY_MS || now < this.#sweptAt
    const note = this.#touched.size > 0 && (this.#writes > 0 || this.#touched.size >= TOUCHED_MAX)
    if (!look && !sweep && !note) return
    this.#db.exec('BEGIN IMMEDIATE')
    this.#noteUse()
    let more = false
    if (sweep || look) more = this.#expire.run(now).changes === SLICE
    if (sweep) {
      this.#dropLeases.run(now)
      this.#dropFruitless.run(now)
    }
    if (look) this.#evictSlice()
    this.#db.exec('COMMIT')
    this.#shrink()
    if (look) this.#writes = 0
    if (sweep && !more) this.#sweptAt = now
  }

  /** After SQLITE_FULL: makes room for `bytes` at once. */
  makeRoom(now: number, bytes: number): void {
    this.#db.exec('BEGIN IMMEDIATE')
    this.#expire.run(now)
    const wanted = Math.ceil(bytes / this.#pageSize) * 2 + Math.ceil(this.#maxPages / 20)
    while (Number(pragma(this.#db, 'freelist_count')) < wanted && this.#evictRows(STEP) > 0);
    this.#db.exec('COMMIT')
    this.#evicting = true
  }

  #noteUse(): void {
    for (const [key, at] of this.#touched) this.#use.run(at, key)
    this.#touched.clear()
  }

  #evictSlice(): void {
    const used = this.#pagesUsed()
    const share = used / this.#maxPages
    this.#evicting = share > (this.#evicting ? EVICT_BELOW : EVICT_ABOVE)
    if (!this.#evicting) return
    // Of few large entries a whole slice may be most of the file.
    const rows = Number(this.#db.prepare('SELECT count(*) AS n FROM entries').get()?.n)
    const excess = Math.ceil(rows * (1 - EVICT_BELOW / share))
    this.#evicting = this.#evictRows(Math.max(1, Math.min(SLICE, excess))) > 0
  }

  #evictRows(rows: number): number {
    const changes = Number(this.#evict.run(rows).changes)
    this.evicted += changes
    return changes
  }

  #pagesUsed(): number {
    return Number(pragma(this.#db, 'page_count')) - Number(pragma(this.#db, 'freelist_count'))
  }

  /** Free pages are used again; they are given back where they are most of the file, or too many. */
  #shrink(): void {
    const pages = Number(pragma(this.#db, 'page_count'))
    const free = Number(pragma(this.#db, 'freelist_count'))
    if (free === 0 || (pages <= this.#maxPages && free < pages / 2)) return
    this.#db.exec(`PRAGMA incremental_vacuum(${SLICE})`)
    pragma(this.#db, `max_page_count = ${this.#maxPages}`)
  }
}
