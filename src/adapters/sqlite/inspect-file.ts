import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { isCorruption, pragma, type SqliteModule } from './driver.ts'
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts'

/** A file that must be left alone; the message says what to do instead. */
export class RefusedFile extends Error {
  override readonly name = 'RefusedFile'
}

interface Header {
  readonly applicationId: number
  readonly userVersion: number
  readonly empty: boolean
}

const HEADER_BYTES = 105

/**
 * Looks at the file without changing a byte of it or of its folder.
 * @returns `absent`; `empty`: nothing in it, to be taken over; `ours`: by its application id, sound
 * or not.
 * @throws RefusedFile where it is not ours to use.
 */
export function inspectFile(sqlite: SqliteModule, path: string): 'absent' | 'empty' | 'ours' {
  const stats = statFile(path)
  if (!stats) return 'absent'
  if (stats.isDirectory()) {
    throw new RefusedFile(`${path} is a directory: give sqlite() the path of a file in it`)
  }
  if (!stats.isFile()) {
    throw new RefusedFile(`${path} is not a regular file: give sqlite() another path`)
  }
  if (stats.size === 0) return 'empty'
  const header = readHeader(sqlite, path)
  if (header?.applicationId === APPLICATION_ID) {
    if (header.userVersion > SCHEMA_VERSION) throw newerFile(path)
    return 'ours'
  }
  if (header?.empty) return 'empty'
  throw new RefusedFile(
    `${path} is not a file of this cache and is left untouched: give sqlite() another path`,
  )
}

/** `undefined` where there is no such file. */
export function statFile(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw new RefusedFile(
      `${path} cannot be reached (${(error as NodeJS.ErrnoException).code}): give sqlite() a path whose folder this process may use`,
    )
  }
}

function readHeader(sqlite: SqliteModule, path: string): Header | undefined {
  try {
    return readThroughSqlite(sqlite, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw unreadable(path)
    // Not a database, or damaged; or a Node below 22.15, which takes no URL.
    const raw = isCorruption(error) || error instanceof TypeError
    if (raw) return readRaw(path, error instanceof TypeError)
    throw unreadable(path)
  }
}

/**
 * `immutable` makes SQLite read the file as it lies there: no lock, no -wal, no -shm. Opening it with
 * node:fs would be simpler, but closing that descriptor drops the locks that any other thread of this
 * process holds on the file (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function readThroughSqlite(sqlite: SqliteModule, path: string): Header {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  const db = new sqlite.DatabaseSync(url, { readOnly: true })
  try {
    const applicationId = Number(pragma(db, 'application_id'))
    const userVersion = Number(pragma(db, 'user_version'))
    const empty =
      applicationId !== APPLICATION_ID &&
      db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined &&
      !statFile(`${path}-wal`)
    return { applicationId, userVersion, empty }
  } finally {
    db.close()
  }
}

/** Offsets of https://sqlite.org/fileformat.html, 1.3; a damaged file is only asked for its owner. */
function readRaw(path: string, sound: boolean): Header | undefined {
  const header = Buffer.alloc(HEADER_BYTES)
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    throw unreadable(path)
  }
  try {
    if (readSync(file, header, 0, HEADER_BYTES, 0) < 72) return undefined
  } finally {
    closeSync(file)
  }
  return {
    applicationId: header.readInt32BE(68),
    userVersion: sound ? header.readInt32BE(60) : 0,
    empty:
      sound &&
      header.toString('latin1', 0, 16) === 'SQLite format 3\0' &&
      header.readUInt16BE(103) === 0 &&
      !statFile(`${path}-wal`),
  }
}

export function newerFile(path: string): RefusedFile {
  return new RefusedFile(
    `${path} was written by a newer version of this library: update this service, or give it another path`,
  )
}

function unreadable(path: string): RefusedFile {
  return new RefusedFile(
    `${path} cannot be read: let the user of this process read and write it and its folder`,
  )
}
