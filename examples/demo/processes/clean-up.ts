/** What is to be undone at the end, the last thing first. (AsyncDisposableStack is not in Node 22.) */
export class CleanUp {
  readonly #tasks: Array<() => unknown> = []

  defer(task: () => unknown): void {
    this.#tasks.push(task)
  }

  /** Does all of it even if some of it fails, and then throws the first failure. */
  async run(): Promise<void> {
    const failures: unknown[] = []
    for (let task = this.#tasks.pop(); task; task = this.#tasks.pop()) {
      try {
        await task()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** `work`, and the cleaning up after it however it ends. */
  static async after<T>(work: (cleanUp: CleanUp) => Promise<T>): Promise<T> {
    const cleanUp = new CleanUp()
    try {
      return await work(cleanUp)
    } finally {
      await cleanUp.run()
    }
  }
}
