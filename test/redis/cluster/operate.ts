import { redisBinary } from '../servers/binary.ts'
import type { Cluster } from '../servers/cluster.ts'
import { freePort, releasePort } from '../servers/ports.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'

// What an operator does to a cluster, step by step.

/** Moves a slot with its keys in small groups. */
export async function moveSlot(
  slot: number,
  from: RedisProcess,
  to: RedisProcess,
  nodes: readonly RedisProcess[],
): Promise<void> {
  const [fromId, toId] = [await idOf(from), await idOf(to)]
  await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
  await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
  for (;;) {
    const keys = await from.cli<string[]>('CLUSTER', 'GETKEYSINSLOT', slot, 5)
    if (keys.length === 0) break
    await from.cli('MIGRATE', to.host, to.port, '', 0, 1000, 'KEYS', ...keys)
  }
  for (const node of [to, from]) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
  for (const node of nodes) {
    if (node !== to && node !== from) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
  }
}

function idOf(node: RedisProcess): Promise<string> {
  return node.cli<string>('CLUSTER', 'MYID')
}

export interface Joined {
  readonly node: RedisProcess
  stop(): Promise<void>
}

/** A new node, known to all others, without slots. */
export async function joinNode(cluster: Cluster): Promise<Joined> {
  const bus = await freePort()
  const node = await startServer({
    ...(redisBinary().features.clusterPort ? { clusterPort: bus } : {}),
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
      ...['--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no'],
    ],
  })
  const [asked] = cluster.nodes.filter((one) => one.running) as [RedisProcess]
  const text = await asked.cli<string>('CLUSTER', 'NODES')
  const mine = /^\S+ 127\.0\.0\.1:(\d+)@(\d+)\S* myself/m.exec(text)
  await node.cli('CLUSTER', 'MEET', '127.0.0.1', asked.port, Number(mine?.[2]))
  const id = await idOf(node)
  await Promise.all(
    cluster.nodes
      .filter((one) => one.running)
      .map((one) =>
        until(`port ${one.port} knows the new node`, async () =>
          (await one.cli<string>('CLUSTER', 'NODES'))
            .split('\n')
            .some((line) => line.startsWith(id) && !line.includes('handshake')),
        ),
      ),
  )
  await until('the new node serves', async () =>
    (await node.cli<string>('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  )
  return {
    node,
    stop: async () => {
      await node.stop()
      releasePort(bus)
    },
  }
}

/**
 * The replica of a master that is in sync by what both say, and has run for long enough to be known
 * to have shared its life: servers tell their age in seconds.
 */
export async function replicaOf(cluster: Cluster, master: RedisProcess): Promise<RedisProcess> {
  return until(`port ${master.port} has a replica in sync`, async () => {
    const fields = await master.info('replication')
    const port = /port=(\d+),state=online/.exec(fields.slave0 ?? '')?.[1]
    const replica = cluster.nodes.find((node) => String(node.port) === port)
    const isUp = replica && (await replica.info('replication')).master_link_status === 'up'
    if (!isUp) return undefined
    return Number((await replica.info('server')).uptime_in_seconds) > 2 ? replica : undefined
  })
}
