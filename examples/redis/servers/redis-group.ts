import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { RedisProcess, until } from './redis-process.ts'

const SENTINELS = 3
const NOT_SAVED = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0']
// So that they know each other, and the replica, in a second instead of ten. Redis before 7 has no
// such command, and takes its time.
const HURRY = ['publish-period', '500', 'info-period', '200', 'ask-period', '200']

/** A master, its replica and three sentinels, as in production but on one machine. */
export class RedisGroup {
  readonly masterName = 'shop'
  readonly #folder: string
  readonly #servers: readonly RedisProcess[]
  readonly #sentinels: readonly RedisProcess[]

  private constructor(
    folder: string,
    servers: readonly RedisProcess[],
    sentinels: readonly RedisProcess[],
  ) {
    this.#folder = folder
    this.#servers = servers
    this.#sentinels = sentinels
  }

  /** Nothing runs before `start`. */
  static async prepare(binary: string): Promise<RedisGroup> {
    const folder = await mkdtemp(join(tmpdir(), 'resilient-cache-redis-'))
    const servers = [await server(binary, folder), await server(binary, folder)]
    const sentinels: RedisProcess[] = []
    for (let n = 1; n <= SENTINELS; n++) {
      const file = join(folder, `sentinel-${n}.conf`)
      sentinels.push(new RedisProcess(binary, await freePort(), [file, '--sentinel']))
    }
    return new RedisGroup(folder, servers, sentinels)
  }

  /** For `redis({ sentinels })`. */
  get sentinelAddresses(): string[] {
    return this.#sentinels.map(({ port }) => `127.0.0.1:${port}`)
  }

  /** Everything, empty: nothing was saved. Resolves when the sentinels agree about the whole group. */
  async start(): Promise<void> {
    const [master, replica] = this.#servers as [RedisProcess, RedisProcess]
    await master.start()
    await replica.start(['--replicaof', '127.0.0.1', String(master.port)])
    await until('the replica follows', async () => {
      return String(await replica.ask('INFO', 'replication')).includes('master_link_status:up')
    })
    await Promise.all(this.#sentinels.map((sentinel, at) => this.#watch(sentinel, at, master.port)))
    await Promise.all(this.#sentinels.map((sentinel) => this.#untilSettled(sentinel)))
  }

  async killSentinels(): Promise<void> {
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.kill()))
  }

  async killServers(): Promise<void> {
    await Promise.all(this.#servers.map((each) => each.kill()))
  }

  /** What a restarted load balancer does: every connection to the master is cut at once. */
  async cutConnections(): Promise<void> {
    const [master] = this.#servers as [RedisProcess]
    await master.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await master.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  }

  /** Replica and master change roles. Resolves when the sentinels agree that they have. */
  async failOver(): Promise<void> {
    const before = await this.#masterPort(this.#sentinels[0] as RedisProcess)
    await until('a sentinel accepts the failover', async () => {
      return (await this.#sentinels[0]?.ask('SENTINEL', 'FAILOVER', this.masterName)) === 'OK'
    })
    await until('the sentinels agree on the new master', async () => {
      const ports = await Promise.all(this.#sentinels.map((each) => this.#masterPort(each)))
      return ports.every((port) => port === ports[0] && port !== before)
    })
  }

  /** Ends all of it and removes its files. */
  async stop(): Promise<void> {
    await this.killSentinels()
    await this.killServers()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  async #watch(sentinel: RedisProcess, at: number, masterPort: number): Promise<void> {
    const lines = [
      'bind 127.0.0.1',
      `port ${sentinel.port}`,
      `dir "${this.#folder}"`,
      `sentinel monitor ${this.masterName} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${this.masterName} 1000`,
      `sentinel failover-timeout ${this.masterName} 5000`,
    ]
    await writeFile(join(this.#folder, `sentinel-${at + 1}.conf`), `${lines.join('\n')}\n`)
    await sentinel.start()
    await sentinel.ask('SENTINEL', 'DEBUG', ...HURRY).catch(() => {})
  }

  async #untilSettled(sentinel: RedisProcess): Promise<void> {
    await until('the sentinels know each other', async () => {
      const flat = (await sentinel.ask('SENTINEL', 'MASTER', this.masterName)) as string[]
      const field = (name: string) => flat[flat.indexOf(name) + 1]
      return (
        field('num-other-sentinels') === String(SENTINELS - 1) &&
        field('num-slaves') === '1' &&
        field('flags') === 'master'
      )
    })
  }

  async #masterPort(sentinel: RedisProcess): Promise<string> {
    const address = await sentinel.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.masterName)
    return String((address as readonly unknown[])[1])
  }
}

async function server(binary: string, folder: string): Promise<RedisProcess> {
  const port = await freePort()
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, ...NOT_SAVED]
  return new RedisProcess(binary, port, args)
}
