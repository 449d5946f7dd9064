import type { DatabaseSync } from 'node:sqlite'

export type SqliteModule = typeof import('node:sqlite')

/**
 * `node:sqlite` without its ExperimentalWarning. Only the emitter of this thread is silenced, and
 * only while the module loads: a static import would warn before any of our code runs.
 */
export function loadSqlite(): SqliteModule {
  const emitWarning = process.emitWarning
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Primary result codes of https://sqlite.org/rescode.html that are told apart here. */
export const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const

/** The primary result code of an error of SQLite, 0 for any other error. */
export function sqliteCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | undefined)?.errcode
  return typeof code === 'number' ? code & 0xff : 0
}

export function isCorruption(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE.CORRUPT || code === SQLITE.NOTADB
}

export function pragma(db: DatabaseSync, name: string): unknown {
  const row = db.prepare(`PRAGMA ${name}`).get()
  return row === undefined ? undefined : Object.values(row)[0]
}

/** Ends a transaction that failed; SQLite may have ended it already. */
export function rollback(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch {
    // No transaction was left to end.
  }
}

/** A reason for an operator: what happened, and what to do about it. */
export function explain(error: unknown, path: string): string {
  switch (sqliteCode(error)) {
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return `the cache file ${path} stayed locked by another process; nothing to do if it is rare, otherwise give each service a file of its own`
    case SQLITE.FULL:
      return `the cache file ${path} cannot grow: free disk space, or raise maxBytes`
    case SQLITE.READONLY:
      return `the cache file ${path} is read-only: let the user of this process write to it and to its folder`
    case SQLITE.CANTOPEN:
      return `the cache file ${path} cannot be opened: let the user of this process read and write it and its folder`
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return `the cache file ${path} is corrupt and could not be moved aside: delete it`
    case SQLITE.IOERR:
      return `the disk under the cache file ${path} failed: check the device and its free space`
    default:
      return `the cache file ${path} failed (${error instanceof Error ? error.message : 'unknown error'})`
  }
}
