import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { redisBinary } from './binary.ts'
import { guardedFolder } from './guard.ts'
import { freePort } from './ports.ts'
import { RedisProcess } from './redis-process.ts'
import { ReplyError } from './resp-parser.ts'
import { until } from './until.ts'

/** Options of `startSentinels`. */
export interface SentinelOptions {
  /** Default: 3. */
  readonly count?: number
  /** Default: 2. */
  readonly quorum?: number
  /** Default: 500. */
  readonly downAfterMs?: number
  /** Default: 3,000. */
  readonly failoverTimeoutMs?: number
  /** Default: 'mymaster'. */
  readonly name?: string
  /** Of the master and its replicas. Default: the one the master was started with. */
  readonly password?: string | undefined
  /** Of the sentinels themselves. */
  readonly sentinelPassword?: string
  /** How many replicas they must know. Default: as many as the master says it has. */
  readonly replicas?: number
}

/** Sentinels that know each other, their master and its replicas. */
export interface Sentinels {
  readonly name: string
  readonly sentinels: readonly RedisProcess[]
  /** For the options of a client. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** The master as the given sentinel, or the first that runs, sees it. */
  master(sentinel?: RedisProcess): Promise<{ host: string; port: number }>
  /** Asks for a planned failover; resolves when all running sentinels name another master. */
  failover(): Promise<{ host: string; port: number }>
  /** Waits until all running sentinels know each other and that many replicas. */
  settle(replicas: number): Promise<void>
  stop(): Promise<void>
}

interface Watched {
  readonly port: number
  readonly password?: string | undefined
  readonly info?: RedisProcess['info']
}

// Sentinels look for each other every 2 s and for replicas every 10 s; a test need not wait that
// long. An older server has no such command and takes its time.
// The publish period times 4 is how long they leave a replica that says it is a master: it has to be
// longer than the second in which the leader notices a promotion, or they undo it.
const HURRY = ['publish-period', '500', 'info-period', '200', 'ask-period', '200']

/** Starts sentinels for a master and waits until they agree about the whole group. */
export async function startSentinels(
  master: Watched,
  options: SentinelOptions = {},
): Promise<Sentinels> {
  const { count = 3, name = 'mymaster' } = options
  const sentinels: RedisProcess[] = []
  const running = () => sentinels.filter((sentinel) => sentinel.running)
  const stop = async () => {
    await Promise.all(sentinels.map((sentinel) => sentinel.stop()))
  }
  const settle = async (replicas: number) => {
    await Promise.all(running().map((each) => untilSettled(each, name, count - 1, replicas)))
  }
  try {
    for (let index = 0; index < count; index += 1) {
      sentinels.push(await startSentinel(master, options))
    }
    await settle(options.replicas ?? (await replicasOf(master)))
  } catch (error) {
    await stop()
    throw error
  }
  const current = async (sentinel = running()[0]) => addressFrom(sentinel, name)
  return {
    name,
    sentinels,
    addresses: sentinels.map(({ host, port }) => ({ host, port })),
    master: current,
    failover: () => planFailover(running, name),
    settle,
    stop,
  }
}

/** A sentinel that hurries, also after a restart. */
class Sentinel extends RedisProcess {
  override async start(...args: Parameters<RedisProcess['start']>): Promise<void> {
    await super.start(...args)
    await this.cli('SENTINEL', 'DEBUG', ...HURRY).catch((error: unknown) => {
      if (!(error instanceof ReplyError)) throw error
    })
  }
}

async function startSentinel(master: Watched, options: SentinelOptions): Promise<Sentinel> {
  const { name = 'mymaster', quorum = 2, downAfterMs = 500, failoverTimeoutMs = 3_000 } = options
  const { password = master.password, sentinelPassword } = options
  const port = await freePort()
  const folder = guardedFolder('sentinel')
  const config = join(folder, 'sentinel.conf')
  // It rewrites the file, and reads back after a restart what it had learned.
  const lines = [
    ...['bind 127.0.0.1', `port ${port}`, `dir "${folder}"`],
    `sentinel monitor ${name} 127.0.0.1 ${master.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} ${failoverTimeoutMs}`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
    ...(sentinelPassword === undefined ? [] : [`requirepass ${sentinelPassword}`]),
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const sentinel = new Sentinel({
    binary: redisBinary().path,
    args: [config, '--sentinel'],
    port,
    ownedPorts: [port],
    folder,
    url: `redis://127.0.0.1:${port}`,
    ready: /\+monitor/,
    password: sentinelPassword,
  })
  try {
    await sentinel.start()
    return sentinel
  } catch (error) {
    await sentinel.stop()
    throw error
  }
}

async function replicasOf(master: Watched): Promise<number> {
  const fields = await master.info?.('replication')
  return Number(fields?.connected_slaves ?? 0)
}

async function untilSettled(
  sentinel: RedisProcess,
  name: string,
  others: number,
  replicas: number,
): Promise<void> {
  await until(
    `the sentinel on port ${sentinel.port} knows ${others} others and ${replicas} replicas`,
    async () => {
      const flat = await sentinel.cli<string[]>('SENTINEL', 'MASTER', name)
      const field = (wanted: string) => flat[flat.indexOf(wanted) + 1]
      return (
        Number(field('num-other-sentinels')) === others &&
        Number(field('num-slaves')) === replicas &&
        field('flags') === 'master'
      )
    },
    { withinMs: 20_000, everyMs: 20 },
  )
}

async function addressFrom(
  sentinel: RedisProcess | undefined,
  name: string,
): Promise<{ host: string; port: number }> {
  if (sentinel === undefined) throw new Error('No sentinel is running')
  const [host, port] = await sentinel.cli<string[]>('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
  return { host: String(host), port: Number(port) }
}

async function planFailover(
  running: () => RedisProcess[],
  name: string,
): Promise<{ host: string; port: number }> {
  const before = await addressFrom(running()[0], name)
  // NOGOODSLAVE until the sentinel has heard from the replicas again.
  await until('a sentinel accepts the failover', async () => {
    await running()[0]?.cli('SENTINEL', 'FAILOVER', name)
    return true
  })
  return until(
    'the sentinels agree on another master',
    async () => {
      const seen = await Promise.all(running().map((each) => addressFrom(each, name)))
      const [first] = seen
      const agreed = seen.every(({ port }) => port === first?.port)
      return agreed && first?.port !== before.port ? first : undefined
    },
    { withinMs: 20_000, everyMs: 20 },
  )
}
