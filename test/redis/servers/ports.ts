import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { releaseLock, takeLock } from '../../../scripts/pid-lock.ts'

// Below the ports that systems give to outgoing connections, so that none of those is in the way
// when a server comes back on the port it had.
const FIRST = 20_000
const COUNT = 12_000
const FOLDER = join(tmpdir(), 'rc-test-ports')
const held = new Set<number>()

process.once('exit', () => {
  for (const port of held) releasePort(port)
})

/**
 * A port of 127.0.0.1 on which nobody listens. It belongs to this process until `releasePort` or its
 * end, whatever runs beside it.
 */
export async function freePort(): Promise<number> {
  mkdirSync(FOLDER, { recursive: true })
  const offset = Math.floor(Math.random() * COUNT)
  for (let step = 0; step < COUNT; step += 1) {
    const port = FIRST + ((offset + step) % COUNT)
    if (!takeLock(lockOf(port))) continue
    held.add(port)
    if (await canListen(port)) return port
    releasePort(port)
  }
  throw new Error(`No free port between ${FIRST} and ${FIRST + COUNT}: look into ${FOLDER}`)
}

export function releasePort(port: number): void {
  if (held.delete(port)) releaseLock(lockOf(port))
}

function lockOf(port: number): string {
  return join(FOLDER, String(port))
}

async function canListen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return promise
}
