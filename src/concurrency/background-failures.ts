import type { TaskInfo } from './background-task.ts'

type ErrorHandler = (error: unknown, task: TaskInfo) => unknown

/** Tells `onError` of failures, and the process where there is none or where it fails itself. */
export class Failures {
  readonly #name: string
  readonly #onError: ErrorHandler | undefined
  #hasWarned = false

  constructor(name: string, onError: ErrorHandler | undefined) {
    this.#name = name
    this.#onError = onError
  }

  report(error: unknown, task: TaskInfo): void {
    if (!this.#onError) {
      this.#warnOnce('a task failed and there is no onError', error)
      return
    }
    try {
      const result = this.#onError(error, task)
      if (result instanceof Promise) result.catch((own: unknown) => this.#warnOfHandler(own))
    } catch (own) {
      this.#warnOfHandler(own)
    }
  }

  #warnOfHandler(error: unknown): void {
    this.#warnOnce('onError itself failed', error)
  }

  /** Not each time: failures come in crowds, and `stats()` counts them all. */
  #warnOnce(what: string, error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const message = error instanceof Error ? error.message : 'unknown'
    process.emitWarning(`background '${this.#name}': ${what}: ${message}`, 'ResilientCacheWarning')
  }
}
