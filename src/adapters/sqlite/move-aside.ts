import { existsSync, renameSync, rmSync } from 'node:fs'
import { createPrivately } from './create-file.ts'
import type { SqliteModule } from './driver.ts'
import { statFile } from './inspect-file.ts'

const LOCK_WAIT_MS = 2000

/**
 * Moves a corrupt file out of the way as `<path>.corrupt-<time>`, with its -wal and -shm.
 *
 * `inode` is the file that was found corrupt: of several processes that find it at once the first
 * moves it, and the others, who come to the lock later, find another file (or none) at the path.
 * The lock is one of SQLite, on a file of its own: the kernel frees it when its holder is killed.
 *
 * @returns whether this call moved it.
 */
export function moveAside(sqlite: SqliteModule, path: string, inode: number, now: number): boolean {
  const lockPath = `${path}.lock`
  createPrivately(lockPath)
  const lock = new sqlite.DatabaseSync(lockPath)
  try {
    lock.exec(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`)
    lock.exec('BEGIN EXCLUSIVE')
    if (statFile(path)?.ino !== inode) return false
    const aside = freeName(`${path}.corrupt-${now}`)
    // The log first: without its database it is useless, a new database with the old log is not.
    for (const suffix of ['-wal', '-shm', '']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
    }
    return true
  } finally {
    lock.close()
    rmSync(lockPath, { force: true })
  }
}

function freeName(wanted: string): string {
  let name = wanted
  for (let turn = 1; existsSync(name); turn++) name = `${wanted}-${turn}`
  return name
}
