import { slotOf } from '../../adapters/redis/ioredis/cluster-slot.ts'
import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import { parseInfo, refuseCluster } from '../../adapters/redis/ioredis/server-info.ts'
import type { Settings } from '../../adapters/redis/ioredis/settings.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import type { CliWorld } from '../cli-world.ts'
import { routeTo } from '../doctor/examine-server.ts'
import type { Finding } from '../doctor/finding.ts'
import { askSentinels, masterOf, type SentinelTarget } from '../wire/ask-sentinel.ts'
import { ownsSlot, parseSlots, type SlotOwner } from '../wire/cluster-map.ts'
import type { Connection } from '../wire/connection.ts'
import { reach } from '../wire/reach.ts'
import { addressText } from '../wire/route.ts'

/** The servers that have the keys of a cache. */
export interface Servers {
  readonly isClustered: boolean
  /** @throws ERR_L2_UNAVAILABLE */
  having(key: string): Promise<Connection>
  close(): void
}

/** @throws ERR_L2_UNAVAILABLE with what is wrong and what to do */
export async function openServers(settings: Settings, world: CliWorld): Promise<Servers> {
  const { target } = settings
  switch (target.kind) {
    case 'standalone':
      return single(await notOfCluster(await open([target.endpoint], settings, world)))
    case 'sentinel':
      return single(await open(await candidates(target, world), settings, world))
    case 'cluster':
      return clustered(target.nodes, settings, world)
    case 'client':
      throw unavailable('A client cannot be given here.')
  }
}

/** There the keys have other names: nothing would be found, and nobody would know why. */
async function notOfCluster(connection: Connection): Promise<Connection> {
  const reply = await connection.ask('INFO', 'cluster')
  const isNode = Buffer.isBuffer(reply) && refuseCluster(parseInfo(reply.toString())) !== undefined
  if (!isNode) return connection
  connection.close()
  throw unavailable(
    'The server is a node of a Redis Cluster: give some nodes as --cluster host:port,…',
  )
}

function single(connection: Connection): Servers {
  return {
    isClustered: false,
    having: async () => connection,
    close: () => connection.close(),
  }
}

async function candidates(target: SentinelTarget, world: CliWorld): Promise<readonly Endpoint[]> {
  const answers = await askSentinels(target, world.clock)
  const master = masterOf(answers)
  const all = [...(master ? [master] : []), ...target.standalone]
  if (all.length > 0) return all
  throw unavailable(
    'No sentinel names a master. To see why, run: resilient-cache doctor, with the same options.',
  )
}

async function clustered(
  nodes: readonly Endpoint[],
  settings: Settings,
  world: CliWorld,
): Promise<Servers> {
  const connections = new Map<string, Connection>()
  const seed = await open(nodes, settings, world)
  let owners: readonly SlotOwner[]
  try {
    owners = parseSlots(await seed.ask('CLUSTER', 'SLOTS'), nodes[0] as Endpoint)
  } finally {
    seed.close()
  }
  return {
    isClustered: true,
    async having(key) {
      const slot = slotOf(key)
      const owner = owners.find((one) => ownsSlot(one, slot))
      if (!owner) {
        throw unavailable(`Nobody serves slot ${slot}. To see why, run: resilient-cache doctor`)
      }
      const name = addressText(owner.master)
      const known = connections.get(name)
      if (known) return known
      const made = await open([owner.master], settings, world)
      connections.set(name, made)
      return made
    },
    close() {
      for (const connection of connections.values()) connection.close()
    },
  }
}

/** The first that can be used. */
async function open(
  endpoints: readonly Endpoint[],
  settings: Settings,
  world: CliWorld,
): Promise<Connection> {
  let finding: Finding | undefined
  for (const endpoint of endpoints) {
    const { connection, findings } = await reach(routeTo(endpoint, settings), world.clock)
    if (connection) return connection
    finding = findings.find(({ level }) => level === 'problem')
  }
  throw unavailable(
    `${finding?.message ?? 'No server can be reached'}. ${finding?.fix ?? ''}`.trim(),
  )
}

export function unavailable(message: string): ResilienceError {
  return new ResilienceError('ERR_L2_UNAVAILABLE', message)
}
