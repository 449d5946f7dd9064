import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, linkSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { RefusedFile } from './inspect-file.ts'

/**
 * An empty file that only this user can read; SQLite gives its -wal and -shm the same mode. Nothing
 * happens if there is one. Made elsewhere and linked, so that no descriptor of it is ever closed
 * while another thread holds a lock on it.
 * @throws RefusedFile
 */
export function createPrivately(path: string): void {
  if (existsSync(path)) return
  const made = `${path}.new-${randomUUID()}`
  try {
    makeFolder(dirname(path))
    closeSync(openSync(made, 'wx', 0o600))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new RefusedFile(
      `${path} cannot be created (${code}): give sqlite() a path in a folder that this process may write to`,
    )
  }
  try {
    linkSync(made, path)
    rmSync(made)
  } catch (error) {
    // There is one by now, or a link to nowhere, which SQLite follows. Otherwise the file system has
    // no hard links, and renaming replaces at worst an empty file made this very moment.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') rmSync(made, { force: true })
    else renameSync(made, path)
  }
}

/** Not `recursive`: where a folder exists but can hold none, as in /proc, Node 24 never returns. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
