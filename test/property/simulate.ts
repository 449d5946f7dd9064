import type { Scheduler } from 'fast-check'
import { Cluster, type MakeStore } from './cluster.ts'
import type { Node } from './node.ts'
import { CELLS, type Cell, isDirect, type Operation, type World } from './operations.ts'
import { settle } from './settings.ts'

/** Longer than any time-out, lease, grace and replay of these worlds. */
const LONG_MS = 12_000

export interface Schedule {
  readonly world: World
  readonly operations: readonly Operation[]
  readonly scheduler: Scheduler
  readonly seed: number
}

/** One random life of a cluster. Throws the first thing that must not happen. */
export async function simulate(schedule: Schedule, makeStore?: MakeStore): Promise<void> {
  const { world, operations, scheduler, seed } = schedule
  const cluster = new Cluster(world, scheduler, seed, makeStore)
  for (const operation of operations) {
    await cluster.run(operation)
    if (cluster.problems.length > 0) break
  }
  if (cluster.problems.length === 0) await ending(cluster)
  if (cluster.problems.length > 0) throw cluster.problems[0]
}

async function ending(cluster: Cluster): Promise<void> {
  const { nodes, origins } = cluster
  for (const node of nodes) node.become('healthy')
  for (const cell of CELLS) origins.behaviours.set(cell, 'ok')
  await cluster.flow(LONG_MS)
  if (cluster.unsettled > 0) problem(cluster, `I8 ${cluster.unsettled} calls never settled`)
  // A node that finds L2 without its data first tells it again what was invalidated lately.
  for (const node of nodes) cluster.read(node, 0, 'call')
  await cluster.flow(LONG_MS)
  await converge(cluster)
  account(cluster)
  await Promise.all([...nodes.map((node) => node.cache.close()), cluster.flow(LONG_MS)])
  await settle()
  const { pending } = cluster.clock
  if (pending > 0) problem(cluster, `I6 ${pending} timers are left after close`)
}

/** I6: when all is quiet and well, all nodes serve what L2 holds, and that is the truth. */
async function converge(cluster: Cluster): Promise<void> {
  const { clock, history, nodes } = cluster
  // Who meets a new epoch tells L2 his last invalidations again, which may cost the next load its lease.
  for (const node of nodes) {
    void node.cache.get('anything')
    cluster.counted[node.index] = (cluster.counted[node.index] as number) + 1
  }
  await cluster.flow(20)
  for (const cell of CELLS) {
    cluster.write(nodes[0] as Node, cell, 'invalidate')
    await cluster.flow(3000)
    const served = []
    for (const node of nodes) {
      const reading = isDirect(cell) ? node.getOrSet(cell) : node.fn(cell)
      cluster.counted[node.index] = (cluster.counted[node.index] as number) + 1
      await cluster.flow(20)
      served.push(await Promise.race([reading, settle()]))
    }
    const [first] = served
    const truth = history.version(cell as Cell)
    if (served.some((value) => value?.version !== truth || value.id !== first?.id)) {
      problem(cluster, `I6 at ${clock.now()}: nodes serve ${JSON.stringify(served)}, not ${truth}`)
    }
  }
}

/** I7: what was counted is what happened. */
function account({ counted, invalidated, nodes, origins, problems, sets }: Cluster): void {
  for (const { cache, index } of nodes) {
    const stats = cache.stats()
    const expected = {
      reads: counted[index],
      originCalls: origins.calls.get(index) ?? 0,
      sets: sets[index],
      invalidations: invalidated[index],
    }
    const actual = {
      reads: stats.hits.l1 + stats.hits.l2 + stats.misses + stats.stale,
      originCalls: stats.originCalls,
      sets: stats.sets,
      invalidations: stats.invalidations,
    }
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      problems.push(
        new Error(`I7 counted ${JSON.stringify(actual)}, was ${JSON.stringify(expected)}`),
      )
    }
  }
}

function problem({ problems }: Cluster, message: string): void {
  problems.push(new Error(message))
}
