import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import { Call } from './call.ts'
import { Feed, type Source } from './feed.ts'
import { checkOrder, readAfter } from './graph-order.ts'
import { Job } from './job.ts'
import { resolveOptions } from './options.ts'
import { type Plan, readTask } from './read-tasks.ts'
import { named } from './run-tasks.ts'

interface NodePlan extends Plan {
  readonly key: string
  /** `undefined`: a plain function, which takes nothing but the signal. */
  readonly after: readonly string[] | undefined
}

const WHERE = 'parallel.graph'
const OF_NODE = ['after', 'run', 'timeout', 'fallback', 'optional']

/** One node, which becomes ready when what it comes after is done. */
class NodeJob extends Job {
  readonly dependents: NodeJob[] = []
  readonly #plan: NodePlan
  readonly #results: ReadonlyMap<string, unknown>
  #awaited: number

  constructor(call: Call, index: number, plan: NodePlan, results: ReadonlyMap<string, unknown>) {
    super(call, index, plan.key, plan.timeoutMs, plan.recover)
    this.#plan = plan
    this.#results = results
    this.#awaited = plan.after?.length ?? 0
  }

  get isReady(): boolean {
    return this.#awaited === 0
  }

  /** @returns whether it was the last one that was awaited */
  inputDone(): boolean {
    this.#awaited--
    return this.isReady
  }

  protected run(signal: AbortSignal): unknown {
    const { work, after } = this.#plan
    if (typeof work !== 'function') return work
    if (!after) return work(signal as never)
    const inputs = Object.fromEntries(after.map((name) => [name, this.#results.get(name)]))
    return work(inputs as never, signal as never)
  }
}

/** The nodes that are ready and not handed over yet. */
class Ready implements Source {
  readonly #jobs: NodeJob[] = []

  get hasMore(): boolean {
    return this.#jobs.length > 0
  }

  take(): Job | undefined {
    return this.#jobs.shift()
  }

  add(job: NodeJob): void {
    this.#jobs.push(job)
  }
}

/** `parallel.graph`. */
export function runGraph(nodes: unknown, options: unknown): Promise<unknown> {
  const settings = resolveOptions(options, WHERE)
  const plans = readNodes(nodes)
  checkOrder(new Map(plans.map(({ key, after }) => [key, after ?? []])))
  const results = new Map<string, unknown>()
  const call = new Call({
    settings,
    total: plans.length,
    shape: (values) => named(plans, values),
  })
  const jobs = plans.map((plan, index) => new NodeJob(call, index, plan, results))
  connect(jobs, plans)
  call.jobs = jobs
  const ready = new Ready()
  const feed = new Feed(call, ready, settings.concurrency)
  call.onSuccess = (job, value) => {
    results.set(job.key as string, value)
    for (const dependent of (job as NodeJob).dependents) {
      if (dependent.inputDone() && !dependent.isOver) ready.add(dependent)
    }
    feed.pump()
  }
  jobs.forEach((job, index) => {
    if (typeof plans[index]?.work !== 'function') void job.submit(undefined)
    else if (job.isReady) ready.add(job)
  })
  call.open()
  feed.pump()
  return call.promise
}

function readNodes(nodes: unknown): NodePlan[] {
  if (typeof nodes !== 'object' || nodes === null || Array.isArray(nodes)) {
    throw invalidOption(`${WHERE} takes an object of nodes, got ${kindOf(nodes)}`)
  }
  return Object.entries(nodes).map(([key, node], index) => {
    const what = `node ${index + 1} of ${WHERE}`
    const plan = readTask(node, key, what, OF_NODE)
    const isSpec = typeof plan.work === 'function' && typeof node !== 'function'
    return { ...plan, key, after: isSpec ? readAfter(node.after, what) : undefined }
  })
}

function connect(jobs: readonly NodeJob[], plans: readonly NodePlan[]): void {
  const byName = new Map(jobs.map((job) => [job.key as string, job]))
  for (const [index, job] of jobs.entries()) {
    for (const name of plans[index]?.after ?? []) byName.get(name)?.dependents.push(job)
  }
}
