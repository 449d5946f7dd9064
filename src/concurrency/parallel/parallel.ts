import type { GraphNodes } from './graph-types.ts'
import { mapItems } from './map.ts'
import type { ParallelOptions } from './options.ts'
import { ignoreFailures } from './read-tasks.ts'
import { runGraph } from './run-graph.ts'
import { runTasks } from './run-tasks.ts'
import type { SettledTasks, Task, TaskResults } from './task.ts'

/** The kin of {@link parallel}. */
export interface ParallelForms {
  /**
   * The results of `fn` for all items, in their order. Items are read when there is room for them; after
   * the first error no more are read, and the iterator is closed.
   *
   * @throws as {@link parallel}
   */
  map<A, R>(
    items: Iterable<A> | AsyncIterable<A>,
    fn: (item: A, index: number, signal: AbortSignal) => PromiseLike<R> | R,
    options?: ParallelOptions,
  ): Promise<R[]>
  /**
   * How each task ended: `{ ok: true, value }` or `{ ok: false, error, timedOut }`. It never rejects,
   * except for wrong options; a failure aborts nobody.
   */
  settle<const T extends readonly Task[] | Readonly<Record<string, Task>>>(
    tasks: T,
    options?: ParallelOptions,
  ): Promise<SettledTasks<T>>
  /**
   * The values of all nodes, each of which starts the moment that those in its `after` are done, and is
   * given their values. TypeScript knows the inputs that come from nodes whose parameters are annotated
   * or absent; annotate the others, they are checked.
   *
   * @throws ERR_INVALID_OPTION for a name that is no node and for a cycle, before anything starts
   */
  graph<V extends object, A extends object, N>(
    nodes: GraphNodes<V, A, N>,
    options?: ParallelOptions,
  ): Promise<TaskResults<N>>
}

/**
 * The values of all tasks, in the shape in which they were given: an object or a tuple. The first error
 * is the outcome at once: it aborts the signal of the other tasks, with itself as the reason, and what
 * has not started does not start. Errors that come later are in its `suppressed`.
 *
 * @example
 * ```ts
 * const { user, orders } = await parallel({
 *   user: (signal) => fetchUser(id, { signal }),
 *   orders: { run: (signal) => fetchOrders(id, { signal }), timeout: '2s', fallback: [] },
 * })
 * ```
 *
 * @throws the first error of a task; ERR_TIMEOUT after `timeout` or `taskTimeout`; ERR_ABORTED when
 * `signal` is aborted; ERR_INVALID_OPTION. As rejections, all of them
 */
export const parallel: (<const T extends readonly Task[] | Readonly<Record<string, Task>>>(
  tasks: T,
  options?: ParallelOptions,
) => Promise<TaskResults<T>>) &
  ParallelForms = Object.assign(
  async (tasks: unknown, options?: ParallelOptions) =>
    guarded(tasks, () => runTasks(tasks, options, { where: 'parallel', settles: false })) as never,
  {
    map: async (items: unknown, fn: unknown, options?: ParallelOptions) =>
      mapItems(items, fn, options) as never,
    settle: async (tasks: unknown, options?: ParallelOptions) =>
      guarded(tasks, () =>
        runTasks(tasks, options, { where: 'parallel.settle', settles: true }),
      ) as never,
    graph: async (nodes: unknown, options?: ParallelOptions) =>
      guarded(nodes, () => runGraph(nodes, options)) as never,
  },
)

/** Promises among the tasks may fail although the call is refused for its options. */
function guarded(tasks: unknown, run: () => Promise<unknown>): Promise<unknown> {
  try {
    return run()
  } catch (error) {
    ignoreFailures(tasks)
    throw error
  }
}
