import { PassingSet } from '../kernel/passing-map.ts'

/** What runs without anybody waiting for it: refreshes, writes to L2, warming. `close()` drains it. */
export class BackgroundWork {
  readonly #running = new PassingSet<Promise<unknown>>()

  get size(): number {
    return this.#running.size
  }

  /** Follows `work` to its end. It must report its own failures: they are dropped here. */
  track(work: Promise<unknown>): void {
    const done: Promise<unknown> = work.then(
      () => this.#running.delete(done),
      () => this.#running.delete(done),
    )
    this.#running.add(done)
  }

  /** Resolves when nothing is running any more. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
