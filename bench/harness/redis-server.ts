import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureRedis } from '../../scripts/find-redis.ts'

const READY_MS = 10_000

/** A redis-server of our own on loopback: nothing on disk, nothing in it. */
export interface BenchRedis {
  readonly host: string
  readonly port: number
  /** It accepts connections and answers nothing, until `thaw`. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

export async function startRedis(): Promise<BenchRedis> {
  const { path } = await ensureRedis()
  const folder = mkdtempSync(join(tmpdir(), 'resilient-cache-bench-redis-'))
  const host = '127.0.0.1'
  const port = await freePort()
  const settings = { bind: host, port: String(port), save: '', appendonly: 'no', dir: folder }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const server = spawn(path, args, { stdio: 'ignore' })
  const kill = (): void => void server.kill('SIGKILL')
  // A scene that fails must not leave it behind.
  process.once('exit', kill)
  await untilAccepting(server, host, port)
  return {
    host,
    port,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async stop() {
      process.off('exit', kill)
      if (server.exitCode === null && server.signalCode === null) {
        kill()
        await once(server, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Nobody listens there. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function untilAccepting(server: ChildProcess, host: string, port: number): Promise<void> {
  const until = performance.now() + READY_MS
  while (performance.now() < until) {
    if (server.exitCode !== null) throw new Error('redis-server ended at once')
    const socket = connect(port, host)
    try {
      await once(socket, 'connect')
      return
    } catch {
      await sleep(20)
    } finally {
      socket.destroy()
    }
  }
  throw new Error('redis-server does not accept connections')
}

/** How many commands of the library the server has carried out. */
export async function scriptCalls(client: {
  info(section: string): Promise<string>
}): Promise<number> {
  const info = await client.info('commandstats')
  const calls = [...info.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)]
  return calls.reduce((sum, [, count]) => sum + Number(count), 0)
}
