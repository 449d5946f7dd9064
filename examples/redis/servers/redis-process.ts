import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

const START_MS = 10_000

/** Whatever still runs when this process ends, however it ends by itself. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A redis-server, or a sentinel, that can be killed and started again on its port. */
export class RedisProcess {
  readonly port: number
  readonly #binary: string
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  constructor(binary: string, port: number, args: readonly string[]) {
    this.port = port
    this.#binary = binary
    this.#args = args
  }

  /** Resolves when it answers. */
  async start(extra: readonly string[] = []): Promise<void> {
    // A group of its own: Ctrl-C then reaches this script alone, which stops its servers in order.
    const child = spawn(this.#binary, [...this.#args, ...extra], {
      detached: true,
      stdio: 'ignore',
    })
    this.#child = child
    running.add(child)
    child.once('exit', () => running.delete(child))
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
    await Promise.race([this.#untilUp(child), failed])
  }

  /** As `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** One command, by a connection of its own. */
  async ask(...command: readonly [string, ...string[]]): Promise<unknown> {
    const client = new Redis({
      host: '127.0.0.1',
      port: this.port,
      lazyConnect: true,
      protocol: 2,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: null,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      const [name, ...args] = command
      return await client.call(name, ...args)
    } finally {
      client.disconnect()
    }
  }

  async #untilUp(child: ChildProcess): Promise<void> {
    await until(`the server on port ${this.port} answers`, async () => {
      if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
      return (await this.ask('PING')) === 'PONG'
    })
  }
}

/** Asks again until the condition holds. What it throws counts as no. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_MS
  let cause: unknown
  while (performance.now() < deadline) {
    try {
      if (await condition()) return
    } catch (error) {
      cause = error
    }
    await sleep(20)
  }
  throw new Error(`Not within ${START_MS / 1000} s: ${what}`, { cause })
}
