import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

let written = 0

/**
 * Takes a lock between the processes of this machine; false when a living process has it. The lock
 * of a process that died is taken over.
 */
export function takeLock(path: string): boolean {
  // A link appears with its content, so nobody reads a lock without a pid.
  const draft = `${path}.${process.pid}.${written++}`
  writeFileSync(draft, String(process.pid))
  try {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        linkSync(draft, path)
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        if (ownerIsAlive(path)) return false
        rmSync(path, { force: true })
      }
    }
    return false
  } finally {
    rmSync(draft, { force: true })
  }
}

export function releaseLock(path: string): void {
  rmSync(path, { force: true })
}

function ownerIsAlive(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
