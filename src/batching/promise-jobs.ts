const settled = Promise.resolve()

/**
 * Runs `task` when every promise job of this turn is through, those that other promise jobs have added
 * too: only then have all resolvers of one level asked for their keys. `queueMicrotask` would be too
 * early for loads behind an `await`, `setImmediate` a round of I/O too late.
 *
 * The scheduling of graphql/dataloader: a promise job, then `process.nextTick`, whose queue Node empties
 * after the promise jobs.
 */
export function afterPromiseJobs(task: () => void): void {
  void settled.then(() => process.nextTick(task))
}
