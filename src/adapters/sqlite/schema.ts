import type { DatabaseSync } from 'node:sqlite'

/** 'rcL2' in the header of the file, at offset 68: by it a file is known to be ours. */
export const APPLICATION_ID = 0x72634c32

/** In `user_version`. A file of a lower one is emptied in place: it is a cache, not an archive. */
export const SCHEMA_VERSION = 2

// `bytes` may be NULL: node:sqlite of Node 22 binds no bytes as that.
// It is the last column, so that reading the others does not walk its overflow pages.
// Times are REAL: `Infinity` is a time.
const TABLES = `
CREATE TABLE spaces (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  hard_floor INTEGER NOT NULL,
  soft_floor INTEGER NOT NULL,
  stamps INTEGER NOT NULL
);
CREATE TABLE entries (
  key TEXT NOT NULL PRIMARY KEY,
  space INTEGER NOT NULL,
  version INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  fresh_until REAL NOT NULL,
  keep_until REAL NOT NULL,
  used REAL NOT NULL,
  bytes BLOB
);
CREATE INDEX entries_by_use ON entries (used);
CREATE INDEX entries_by_end ON entries (keep_until);
CREATE TABLE leases (
  key TEXT NOT NULL PRIMARY KEY,
  token TEXT NOT NULL,
  until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE fruitless (
  key TEXT NOT NULL PRIMARY KEY,
  failed INTEGER NOT NULL,
  failure TEXT,
  unstored INTEGER NOT NULL,
  until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE stamps (
  space INTEGER NOT NULL,
  tag TEXT NOT NULL,
  hard INTEGER NOT NULL,
  soft INTEGER NOT NULL,
  latest INTEGER NOT NULL,
  PRIMARY KEY (space, tag)
) WITHOUT ROWID;
CREATE INDEX stamps_by_age ON stamps (space, latest);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Inside an exclusive transaction: whatever tables there are make room for ours. */
export function createTables(db: DatabaseSync): void {
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
  for (const { name } of names) db.exec(`DROP TABLE "${String(name).replaceAll('"', '""')}"`)
  db.exec(TABLES)
}
