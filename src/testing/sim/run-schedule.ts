import { CELLS, type Cell, isDirect } from './cells.ts'
import { type MutantName, mutantOf } from './mutants.ts'
import type { Schedule } from './operations.ts'
import type { Value } from './sim-history.ts'
import type { SimNode } from './sim-node.ts'
import { SimRun } from './sim-run.ts'

/** Longer than any time-out, lease, grace and replay of these worlds. */
const LONG_MS = 10_000
/** Longer than it takes to notice a dead peer, to connect, to probe and to replay. */
const REPAIR_MS = 3000
/** Longer than any `errorTtl` of these worlds. */
const LONGEST_ERROR_MS = 300
/** How often it is looked whether all is quiet. */
const LOOK_MS = 250
/** Until all have noticed what one of them has invalidated. */
const BOUND_MS = 2000

export interface Ran {
  readonly operations: number
  readonly faults: number
  /** Events of the virtual time. */
  readonly events: number
  /** What went wrong, in the order in which it was found. */
  readonly problems: readonly string[]
  readonly trace: readonly string[]
}

/** One random life of a cluster, to its quiet end. */
export async function runSchedule(
  schedule: Schedule,
  mutant: MutantName | undefined,
  isTraced = false,
): Promise<Ran> {
  const rejections: unknown[] = []
  const note = (error: unknown): void => void rejections.push(error)
  process.on('unhandledRejection', note)
  const run = new SimRun(schedule, mutantOf(mutant), isTraced)
  const { trace, cluster } = run
  try {
    await cluster.time.run(live(run))
    // One more turn: rejections that nobody handles are told at its end.
    await new Promise((resolve) => setImmediate(resolve))
  } catch (error) {
    trace.problem(String((error as Error)?.message ?? error))
  } finally {
    process.off('unhandledRejection', note)
  }
  for (const error of rejections) trace.problem(`I8 nobody handled a rejection: ${error}`)
  const { operations, faults } = run
  const { events } = cluster.time
  return { operations, faults, events, problems: trace.problems, trace: trace.lines }
}

async function live(run: SimRun): Promise<void> {
  await run.play()
  if (run.trace.problems.length === 0) await end(run)
}

async function end(run: SimRun): Promise<void> {
  const { cluster, trace } = run
  const { time, origins } = cluster
  trace.note('everything is repaired')
  cluster.heal()
  cluster.allowAnother()
  for (const cell of CELLS) origins.behaviours.set(cell, { behaviour: 'ok', ms: 1 })
  await time.sleep(REPAIR_MS)
  for (let ms = REPAIR_MS; ms < LONG_MS && !isQuiet(run); ms += LOOK_MS) await time.sleep(LOOK_MS)
  for (const { process } of cluster.nodes) {
    const left = run.unsettled.get(process) ?? 0
    if (left > 0) trace.problem(`I8 ${left} calls of process ${process} never settled`)
  }
  await converge(run)
  if (trace.problems.length > 0) return
  account(run)
  await Promise.all(cluster.nodes.map((node) => node.cache.close()))
  await time.sleep(LONG_MS)
  for (const { process, clock } of cluster.nodes) {
    if (clock.pending > 0) trace.problem(`I6 process ${process} left ${clock.pending} timers`)
  }
}

/** Nobody waits for anything, no lease is left, and no origin that a living process has called still runs. */
function isQuiet({ cluster, unsettled }: SimRun): boolean {
  const { origins, redis, time } = cluster
  // An error of an origin may be kept for a while.
  if (redis.hasLeases || time.now - origins.failedAt < LONGEST_ERROR_MS) return false
  return cluster.nodes.every(
    ({ process, isServed }) =>
      isServed && (unsettled.get(process) ?? 0) === 0 && !cluster.origins.isBusy(process),
  )
}

/** I6: when all is quiet and well, all nodes serve what L2 holds, and that is the truth. */
async function converge(run: SimRun): Promise<void> {
  const { history, nodes, time } = run.cluster
  for (const node of nodes) if (!node.isServed) run.trace.problem('I6 a node did not recover')
  // Who learns only now that Redis has lost something tells it again what it has told lately.
  for (const node of nodes) await lookIntoL2(node)
  // Nothing but `many` touches other cells than the one in focus.
  const cells = run.focus === undefined ? CELLS : [...new Set<Cell>([0, run.focus])]
  for (const cell of cells) {
    for (const node of nodes) await counted(node, cell)
  }
  await time.sleep(BOUND_MS)
  const [first] = nodes as [SimNode]
  for (const cell of cells) run.write(first, cell, 'invalidate')
  await time.sleep(BOUND_MS)
  for (const cell of cells) {
    const served: Array<Value | undefined> = []
    for (const node of nodes) served.push(await counted(node, cell))
    const truth = history.version(cell)
    if (served.some((value) => value?.version !== truth || value.id !== served[0]?.id)) {
      run.trace.problem(`I6 nodes serve ${JSON.stringify(served)}, and the truth is ${truth}`)
    }
    await time.sleep(20)
  }
}

/** What is in L1 would tell nothing of Redis. */
async function lookIntoL2(node: SimNode): Promise<void> {
  node.counted.reads++
  await node.cache.get('no such key')
}

function counted(node: SimNode, cell: Cell): Promise<Value> {
  node.counted.reads++
  return isDirect(cell) ? node.getOrSet(cell) : node.fn(cell)
}

/** I7: what was counted is what happened. */
function account({ cluster, trace }: SimRun): void {
  for (const { cache, counted, process } of cluster.nodes) {
    const stats = cache.stats()
    const expected = { ...counted, originCalls: cluster.origins.calls.get(process) ?? 0 }
    const actual = {
      reads: stats.hits.l1 + stats.hits.l2 + stats.misses + stats.stale,
      sets: stats.sets,
      invalidations: stats.invalidations,
      originCalls: stats.originCalls,
    }
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      trace.problem(
        `I7 process ${process} counted ${JSON.stringify(actual)}, was ${JSON.stringify(expected)}`,
      )
    }
  }
}
