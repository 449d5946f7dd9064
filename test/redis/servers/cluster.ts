import { redisBinary } from './binary.ts'
import type { CertificateFiles } from './certificates.ts'
import { freePort, releasePort } from './ports.ts'
import type { RedisProcess } from './redis-process.ts'
import { startServer } from './server.ts'
import { until } from './until.ts'

/** Options of `startCluster`. */
export interface ClusterOptions {
  /** Default: 3. */
  readonly masters?: number
  /** Per master. Default: 0. */
  readonly replicas?: number
  /** Default: 2,000. */
  readonly nodeTimeoutMs?: number
  /** Whether one missing slot stops all of them. Default: true, as Redis has it. */
  readonly fullCoverage?: boolean
  readonly args?: readonly string[]
  readonly requirepass?: string
  /** All of it speaks TLS, between the nodes too. */
  readonly tls?: CertificateFiles
}

/** A cluster, by the roles its nodes started with. */
export interface Cluster {
  /** The masters, then the replicas. */
  readonly nodes: readonly RedisProcess[]
  readonly masters: readonly RedisProcess[]
  /** `replicas[i]` follows `masters[i % masters.length]`. */
  readonly replicas: readonly RedisProcess[]
  /** The node that serves the slot of a key now, by what a running node says. */
  ownerOf(key: string): Promise<RedisProcess>
  /** Waits until every running node says `cluster_state:ok`. */
  settle(): Promise<void>
  stop(): Promise<void>
}

const SLOTS = 16_384

/** Starts the nodes of a cluster, joins them and waits until all slots are served; 2 to 4 s. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { masters: masterCount = 3, replicas: perMaster = 0 } = options
  const nodes: RedisProcess[] = []
  const busPorts: number[] = []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    for (const port of busPorts) releasePort(port)
  }
  const settle = async () => {
    await Promise.all(nodes.filter((node) => node.running).map(untilOk))
  }
  try {
    for (let index = 0; index < masterCount * (1 + perMaster); index += 1) {
      const bus = await freePort()
      busPorts.push(bus)
      nodes.push(await startNode(options, bus))
    }
    const masters = nodes.slice(0, masterCount)
    const replicas = nodes.slice(masterCount)
    await giveSlots(masters)
    await meet(nodes, busPorts)
    await follow(masters, replicas)
    await settle()
    return { nodes, masters, replicas, ownerOf: (key) => ownerOf(nodes, key), settle, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startNode(options: ClusterOptions, bus: number): Promise<RedisProcess> {
  const { nodeTimeoutMs = 2_000, fullCoverage = true, args = [], requirepass, tls } = options
  return startServer({
    requirepass,
    ...(tls ? { tls } : {}),
    // Before 7.0 the bus listens 10,000 above the port, which cannot be chosen.
    ...(redisBinary().features.clusterPort ? { clusterPort: bus } : {}),
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
      ...['--cluster-node-timeout', String(nodeTimeoutMs)],
      ...['--cluster-require-full-coverage', fullCoverage ? 'yes' : 'no'],
      ...(tls ? ['--tls-cluster', 'yes'] : []),
      ...args,
    ],
  })
}

async function giveSlots(masters: readonly RedisProcess[]): Promise<void> {
  const share = SLOTS / masters.length
  for (const [index, master] of masters.entries()) {
    const from = Math.round(index * share)
    const until = Math.round((index + 1) * share)
    const slots = Array.from({ length: until - from }, (_, offset) => from + offset)
    await master.cli('CLUSTER', 'ADDSLOTS', ...slots)
    // Epochs that differ from the start spare the nodes a collision and its resolution.
    await master.cli('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
  }
}

async function meet(nodes: readonly RedisProcess[], busPorts: readonly number[]): Promise<void> {
  for (const node of nodes) {
    for (const [index, other] of nodes.entries()) {
      if (other === node) continue
      const bus = redisBinary().features.clusterPort ? [busPorts[index] as number] : []
      await node.cli('CLUSTER', 'MEET', '127.0.0.1', other.port, ...bus)
    }
  }
  await Promise.all(
    nodes.map((node) =>
      until(`the node on port ${node.port} knows the others`, async () => {
        const text = await node.cli<string>('CLUSTER', 'NODES')
        const lines = text.trim().split('\n')
        return lines.length === nodes.length && !text.includes('handshake')
      }),
    ),
  )
}

async function follow(
  masters: readonly RedisProcess[],
  replicas: readonly RedisProcess[],
): Promise<void> {
  for (const [index, replica] of replicas.entries()) {
    const master = masters[index % masters.length] as RedisProcess
    const id = await master.cli<string>('CLUSTER', 'MYID')
    await until(`the node on port ${replica.port} becomes a replica`, async () =>
      replica.cli('CLUSTER', 'REPLICATE', id),
    )
  }
  for (const replica of replicas) {
    await until(`the replica on port ${replica.port} is in sync`, async () => {
      return (await replica.info('replication')).master_link_status === 'up'
    })
  }
}

async function untilOk(node: RedisProcess): Promise<void> {
  await until(
    `the node on port ${node.port} says cluster_state:ok`,
    async () => (await node.cli<string>('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    { withinMs: 20_000, everyMs: 20 },
  )
}

async function ownerOf(nodes: readonly RedisProcess[], key: string): Promise<RedisProcess> {
  const asked = nodes.find((node) => node.running)
  if (asked === undefined) throw new Error('No node is running')
  const slot = await asked.cli<number>('CLUSTER', 'KEYSLOT', key)
  const ranges = await asked.cli<[number, number, [string, number]][]>('CLUSTER', 'SLOTS')
  const range = ranges.find(([from, to]) => from <= slot && slot <= to)
  const owner = nodes.find(({ port }) => port === range?.[2][1])
  if (owner === undefined) throw new Error(`Slot ${slot} has no owner`)
  return owner
}
