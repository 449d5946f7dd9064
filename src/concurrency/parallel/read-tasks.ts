import { kindOf, toMs } from '../../kernel/duration.ts'
import { checkBoolean, checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { isThenable } from '../../kernel/thenable.ts'
import type { Recover } from './job.ts'
import type { TaskSpec } from './task.ts'

/** A task as it was given, checked. */
export interface Plan {
  readonly key: PropertyKey
  /** A function, with whatever it takes before the signal; or a promise that is already under way. */
  readonly work: ((...args: never[]) => unknown) | PromiseLike<unknown>
  readonly timeoutMs: number | undefined
  readonly recover: Recover | undefined
}

const OF_TASK = ['run', 'timeout', 'fallback', 'optional']

/** @throws ERR_INVALID_OPTION where `tasks` is neither an object nor an array of tasks */
export function readTasks(tasks: unknown, where: string): Plan[] {
  if (Array.isArray(tasks)) {
    return Array.from(tasks, (task, index) =>
      readTask(task, index, `task ${index + 1} of ${where}`),
    )
  }
  if (typeof tasks !== 'object' || tasks === null) {
    throw invalidOption(`${where} takes an object or an array of tasks, got ${kindOf(tasks)}`)
  }
  return Object.keys(tasks).map((key, index) =>
    readTask((tasks as Record<string, unknown>)[key], key, `task ${index + 1} of ${where}`),
  )
}

/** @param what names it in error messages, without its key, which may be data */
export function readTask(
  task: unknown,
  key: PropertyKey,
  what: string,
  names: readonly string[] = OF_TASK,
): Plan {
  if (typeof task === 'function') return plain(key, task as Plan['work'])
  if (isThenable(task)) return plain(key, task)
  if (typeof task !== 'object' || task === null) {
    throw invalidOption(
      `${what} must be a function such as (signal) => …, a promise or { ${names.join(', ')} }, got ${kindOf(task)}`,
    )
  }
  checkOptionNames(task, names, what)
  const { run, timeout, optional } = task as { [K in keyof TaskSpec]?: unknown }
  if (typeof run !== 'function') {
    throw invalidOption(`run of ${what} must be a function, got ${kindOf(run)}`)
  }
  checkBoolean(optional, `optional of ${what}`)
  return {
    key,
    work: (run as Plan['work'] & ((...args: never[]) => unknown)).bind(task),
    timeoutMs: timeout === undefined ? undefined : toMs(timeout, `timeout of ${what}`),
    recover: recovery(task),
  }
}

/** Their own failures are looked after elsewhere, once the call has begun. */
export function ignoreFailures(tasks: unknown): void {
  if (typeof tasks !== 'object' || tasks === null) return
  for (const task of Object.values(tasks)) if (task instanceof Promise) task.catch(() => {})
}

function plain(key: PropertyKey, work: Plan['work']): Plan {
  return { key, work, timeoutMs: undefined, recover: undefined }
}

function recovery(spec: Partial<TaskSpec>): Recover | undefined {
  if ('fallback' in spec) {
    const { fallback } = spec
    return typeof fallback === 'function' ? (fallback as Recover) : () => fallback
  }
  return spec.optional ? () => undefined : undefined
}
