import type { Task } from './background-task.ts'

/**
 * Tasks in the order they came. Any of them can leave at any time, in constant time: in a `Set`,
 * finding the first walks over all that have left before it.
 */
export class TaskQueue {
  #first: Task | undefined
  #last: Task | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Task | undefined {
    return this.#first
  }

  push(task: Task): void {
    task.before = this.#last
    if (this.#last) this.#last.after = task
    else this.#first = task
    this.#last = task
    this.#size++
  }

  /** @param task is in this queue. */
  remove(task: Task): void {
    if (task.before) task.before.after = task.after
    else this.#first = task.after
    if (task.after) task.after.before = task.before
    else this.#last = task.before
    // An old task must not keep younger ones in memory.
    task.before = undefined
    task.after = undefined
    this.#size--
  }
}
