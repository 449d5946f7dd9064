import { chmodSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { createPrivately } from './create-file.ts'
import { isCorruption, pragma, rollback, SQLITE, type SqliteModule, sqliteCode } from './driver.ts'
import { inspectFile, newerFile, RefusedFile, statFile } from './inspect-file.ts'
import { moveAside } from './move-aside.ts'
import { APPLICATION_ID, createTables, SCHEMA_VERSION } from './schema.ts'

/** Checking costs a few ms per MB; larger files are found corrupt when the bad page is met. */
const CHECKED_UP_TO_BYTES = 32 * 1024 ** 2

/** Several processes may begin one file at the same moment; nobody's answer waits for this. */
const OPEN_BUSY_MS = 2000

export interface OpenedFile {
  readonly db: DatabaseSync
  readonly inode: number
  /** Corrupt files that were moved aside on the way. */
  readonly movedAside: number
}

/**
 * Opens the cache file, making or replacing it where needed.
 * @throws RefusedFile where the path cannot or must not be used; an error of SQLite where it cannot
 * be used at present.
 */
export function openFile(
  sqlite: SqliteModule,
  path: string,
  options: { busyMs: number; now: number },
): OpenedFile {
  let movedAside = 0
  for (let attempt = 0; ; attempt++) {
    const inode = prepare(sqlite, path)
    try {
      const db = openDatabase(sqlite, path, options.busyMs)
      if (inode === undefined) restrict(path)
      return { db, inode: inode ?? statFile(path)?.ino ?? -1, movedAside }
    } catch (error) {
      if (!isCorruption(error) || inode === undefined || attempt === 2) throw error
      if (moveAside(sqlite, path, inode, options.now)) movedAside++
    }
  }
}

/** The inode of what is to be opened; `undefined` where the path is a link to nowhere. */
function prepare(sqlite: SqliteModule, path: string): number | undefined {
  const found = inspectFile(sqlite, path)
  if (found === 'absent') createPrivately(path)
  if (found === 'empty') restrict(path)
  return statFile(path)?.ino
}

function openDatabase(sqlite: SqliteModule, path: string, busyMs: number): DatabaseSync {
  const db = new sqlite.DatabaseSync(path)
  try {
    db.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_MS}`)
    if (pragma(db, 'application_id') !== APPLICATION_ID || outdated(db)) initialise(db, path)
    if (Number(pragma(db, 'user_version')) > SCHEMA_VERSION) throw newerFile(path)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    // Upkeep does it earlier, between the answers; this is for when it cannot keep up.
    db.exec('PRAGMA wal_autocheckpoint = 4000')
    check(db)
    db.exec(`PRAGMA busy_timeout = ${busyMs}`)
    checkWritable(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function initialise(db: DatabaseSync, path: string): void {
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.exec('BEGIN EXCLUSIVE')
  try {
    // Another process may have been faster.
    const owner = pragma(db, 'application_id')
    if (owner !== APPLICATION_ID) {
      if (db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined) {
        throw new RefusedFile(
          `${path} became a file of another program: give sqlite() another path`,
        )
      }
      createTables(db)
    } else if (outdated(db)) createTables(db)
    db.exec('COMMIT')
  } catch (error) {
    rollback(db)
    throw error
  }
}

function outdated(db: DatabaseSync): boolean {
  return Number(pragma(db, 'user_version')) < SCHEMA_VERSION
}

/** A file that may only be read is opened read-only without a word. */
function checkWritable(db: DatabaseSync): void {
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK')
  } catch (error) {
    // Somebody is writing: that is his to find out, then, and ours with the first write.
    if (sqliteCode(error) !== SQLITE.BUSY) throw error
  }
}

function check(db: DatabaseSync): void {
  const bytes = Number(pragma(db, 'page_count')) * Number(pragma(db, 'page_size'))
  if (bytes > CHECKED_UP_TO_BYTES) return
  if (pragma(db, 'quick_check(1)') !== 'ok') {
    throw Object.assign(new Error('quick_check failed'), { errcode: 11 })
  }
}

/** A file that we did not make ourselves: it is about to hold what the cache holds. */
function restrict(path: string): void {
  try {
    chmodSync(path, 0o600)
  } catch {
    // Not the owner: whoever made it chose its mode.
  }
}
