const shared = new AbortController().signal

/**
 * A signal that is never aborted, for a task whose caller gave none. A task that takes its signal may
 * listen to it and never stop: on one that all tasks share, its listeners would pile up. One that takes
 * none gets the shared one, which costs nothing.
 */
export function unabortedSignal(task: (signal: AbortSignal) => unknown): AbortSignal {
  return task.length === 0 ? shared : new AbortController().signal
}
