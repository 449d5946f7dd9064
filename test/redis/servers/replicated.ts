import type { RedisProcess } from './redis-process.ts'
import { type ServerOptions, startServer } from './server.ts'
import { until } from './until.ts'

/** Options of `startReplicated`: those of every server, and how many replicas. */
export interface ReplicatedOptions extends Omit<ServerOptions, 'port' | 'replicaOf'> {
  /** Default: 1. */
  readonly replicas?: number
}

/** One master and its replicas, by the roles they started with. */
export interface Replicated {
  readonly master: RedisProcess
  readonly replicas: readonly RedisProcess[]
  /** All of them, the master first. */
  readonly servers: readonly RedisProcess[]
  stop(): Promise<void>
}

/** Starts a master with replicas and waits until these follow it. */
export async function startReplicated({
  replicas: count = 1,
  ...options
}: ReplicatedOptions = {}): Promise<Replicated> {
  const master = await startServer(options)
  const servers = [master]
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    for (let index = 0; index < count; index += 1) {
      servers.push(await startServer({ ...options, replicaOf: master }))
    }
    const replicas = servers.slice(1)
    await untilInSync(master, replicas)
    return { master, replicas, servers, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Waits until both sides say that the replicas follow the master. */
export async function untilInSync(
  master: RedisProcess,
  replicas: readonly RedisProcess[],
): Promise<void> {
  for (const replica of replicas) {
    await until(`the replica on port ${replica.port} follows port ${master.port}`, async () => {
      const { master_link_status: link, master_port: port } = await replica.info('replication')
      return link === 'up' && Number(port) === master.port
    })
  }
  await until(`port ${master.port} has ${replicas.length} replicas online`, async () => {
    const fields = Object.values(await master.info('replication'))
    return fields.filter((value) => value.includes('state=online')).length >= replicas.length
  })
}
