import { Call } from './call.ts'
import { Feed, type Source } from './feed.ts'
import { Job } from './job.ts'
import { resolveOptions } from './options.ts'
import { type Plan, readTasks } from './read-tasks.ts'

/** A task that needs nothing of the others. */
class TaskJob extends Job {
  readonly #work: Plan['work']

  constructor(call: Call, index: number, { key, work, timeoutMs, recover }: Plan) {
    super(call, index, key, timeoutMs, recover)
    this.#work = work
  }

  /** It is under way, whatever the limits say. */
  get isUnderWay(): boolean {
    return typeof this.#work !== 'function'
  }

  protected run(signal: AbortSignal): unknown {
    const work = this.#work
    return typeof work === 'function' ? work(signal as never) : work
  }
}

/** Jobs in a row. */
class Row implements Source {
  readonly #jobs: readonly Job[]
  #next = 0

  constructor(jobs: readonly Job[]) {
    this.#jobs = jobs
  }

  get hasMore(): boolean {
    return this.#next < this.#jobs.length
  }

  take(): Job | undefined {
    return this.#jobs[this.#next++]
  }
}

/** `parallel` and `parallel.settle`. */
export function runTasks(
  tasks: unknown,
  options: unknown,
  { where, settles }: { where: string; settles: boolean },
): Promise<unknown> {
  const settings = resolveOptions(options, where)
  const plans = readTasks(tasks, where)
  const shape = Array.isArray(tasks)
    ? (results: unknown[]) => results
    : (results: unknown[]) => named(plans, results)
  const call = new Call({ settings, settles, total: plans.length, shape })
  const jobs = plans.map((plan, index) => new TaskJob(call, index, plan))
  call.jobs = jobs
  for (const job of jobs) if (job.isUnderWay) void job.submit(undefined)
  call.open()
  const waiting = jobs.filter((job) => !job.isUnderWay)
  new Feed(call, new Row(waiting), settings.concurrency).pump()
  return call.promise
}

/** Own members, even one that is called `__proto__`. */
export function named(plans: readonly Plan[], results: readonly unknown[]): object {
  return Object.fromEntries(plans.map(({ key }, index) => [key, results[index]]))
}
