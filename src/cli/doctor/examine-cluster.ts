import { SLOTS, slotOf } from '../../adapters/redis/ioredis/cluster-slot.ts'
import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import { parseInfo } from '../../adapters/redis/ioredis/server-info.ts'
import type { Settings } from '../../adapters/redis/ioredis/settings.ts'
import type { CliWorld } from '../cli-world.ts'
import { count, plain } from '../text.ts'
import { ownsSlot, parseSlots, type SlotOwner } from '../wire/cluster-map.ts'
import type { Connection } from '../wire/connection.ts'
import { faultOf } from '../wire/fault.ts'
import { type Reached, reach } from '../wire/reach.ts'
import { addressText, UNUSABLE } from '../wire/route.ts'
import { examineServer, routeTo } from './examine-server.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import type { Report } from './report.ts'

const NAT =
  'Nodes name each other by the addresses they know. Behind NAT or in containers set cluster-announce-ip and cluster-announce-port.'

export async function examineCluster(
  nodes: readonly Endpoint[],
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  report.section('Cluster')
  report.wait(count(nodes.length, 'node'))
  const seeds = await Promise.all(
    nodes.map(async (endpoint) => ({
      endpoint,
      ...(await reach(routeTo(endpoint, settings), world.clock)),
    })),
  )
  const first = seeds.find(({ connection }) => connection !== undefined)
  report.add(...seeds.flatMap((seed) => checkSeed(seed, first !== undefined)))
  const owners = first?.connection ? await askCluster(first.connection, first.endpoint, report) : []
  for (const { connection } of seeds) connection?.close()
  for (const owner of owners) await examineMaster(owner, settings, world, report)
  await examineReplicas(owners, settings, world, report)
}

function checkSeed(
  { endpoint, findings }: { endpoint: Endpoint } & Reached,
  othersAnswer: boolean,
): readonly Finding[] {
  return findings.map((finding) => {
    const message = `${addressText(endpoint)}: ${finding.message}`
    if (finding.level !== 'problem' || !othersAnswer) return { ...finding, check: 'node', message }
    return warning(
      'node',
      message,
      'Services that start learn of the cluster from the others that are listed.',
      finding.fix ?? '',
    )
  })
}

async function askCluster(
  connection: Connection,
  asked: Endpoint,
  report: Report,
): Promise<readonly SlotOwner[]> {
  try {
    const [info, slots] = await connection.all([
      ['CLUSTER', 'INFO'],
      ['CLUSTER', 'SLOTS'],
    ])
    if (slots instanceof Error) {
      report.add(refused(slots))
      return []
    }
    const owners = parseSlots(slots ?? null, asked)
    report.add(...checkState(parseInfo(String(info)), owners))
    return owners
  } catch (error) {
    const { what, fix } = faultOf(error)
    report.add(problem('cluster', what, UNUSABLE, fix))
    return []
  }
}

function refused(error: Error): Finding {
  if (error.message.startsWith('NOPERM')) {
    return problem(
      'cluster',
      'The user may not ask for the slots (NOPERM)',
      'The cache does not learn which node has which key.',
      'ACL SETUSER <user> +cluster|slots +cluster|info',
    )
  }
  return problem(
    'cluster',
    'The server is not part of a Redis Cluster',
    'The cache needs to be told what kind of server this is.',
    'Give it as a url: redis://host:port (url in redis()).',
  )
}

function checkState(
  info: Record<string, string | undefined>,
  owners: readonly SlotOwner[],
): readonly Finding[] {
  const covered = owners
    .flatMap(({ ranges }) => ranges)
    .reduce((sum, [from, to]) => sum + to - from + 1, 0)
  const alone = owners.filter(({ replicas }) => replicas.length === 0)
  const state = info.cluster_state
  return [
    state === undefined || state === 'ok'
      ? ok('state', `${state ?? 'unknown'}, ${count(owners.length, 'master')}`)
      : problem(
          'state',
          `cluster_state is ${plain(state)}`,
          'Nodes refuse commands (CLUSTERDOWN): the cache works without Redis.',
          'CLUSTER NODES shows which node failed; start it, or let a replica take over.',
        ),
    covered === SLOTS
      ? ok('slots', `all ${SLOTS} are served`)
      : problem(
          'slots',
          `${SLOTS - covered} of ${SLOTS} slots are served by nobody`,
          'Keys in these slots are not cached; with cluster-require-full-coverage none are.',
          'redis-cli --cluster fix <host:port>',
        ),
    alone.length === 0
      ? ok('replicas', 'every master has one')
      : warning(
          'replicas',
          `${count(alone.length, 'master has', 'masters have')} no replica: ${alone.map(({ master }) => addressText(master)).join(', ')}`,
          'When such a node dies its slots are gone until it is back.',
          'Add replicas: redis-cli --cluster add-node … --cluster-slave',
        ),
  ]
}

async function examineMaster(
  owner: SlotOwner,
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  const name = addressText(owner.master)
  report.section(`Node ${name}`)
  report.wait(`connecting to ${name}`)
  const route = routeTo(owner.master, settings)
  const reached = await reach(route, world.clock)
  report.add(...reached.findings.map(announced))
  const expectations = {
    isClustered: true,
    // Whether it has a replica was said for the whole cluster.
    isWatched: false,
    owns: (hashTag: string) => ownsSlot(owner, slotOf(hashTag)),
  }
  await examineServer(reached, route, expectations, settings, world, report)
}

async function examineReplicas(
  owners: readonly SlotOwner[],
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  const replicas = owners.flatMap((owner) => owner.replicas)
  if (replicas.length === 0) return
  report.section('Replicas')
  report.wait(count(replicas.length, 'replica'))
  const findings = await Promise.all(
    replicas.map(async (replica) => {
      const { connection, findings } = await reach(routeTo(replica, settings), world.clock)
      connection?.close()
      return findings.map((finding) => {
        const message = `${addressText(replica)}: ${finding.message}`
        if (finding.level === 'ok') return ok('replica', message)
        const why = 'When it takes over, its part of the keys is not cached.'
        return warning('replica', message, why, announced(finding).fix ?? '')
      })
    }),
  )
  report.add(...findings.flat())
}

function announced(finding: Finding): Finding {
  if (finding.level !== 'problem' || finding.check !== 'connection') return finding
  return { ...finding, fix: `${finding.fix ?? ''} ${NAT}`.trim() }
}
