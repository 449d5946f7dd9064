import type { Call } from './call.ts'
import type { Source } from './feed.ts'
import { Job } from './job.ts'

/** What `parallel.map` calls for each item. */
export type MapFunction = (item: unknown, index: number, signal: AbortSignal) => unknown

/** One item. */
export class ItemJob extends Job {
  readonly #item: unknown
  readonly #fn: MapFunction

  constructor(call: Call, item: unknown, fn: MapFunction) {
    super(call, call.taken, call.taken)
    call.taken++
    this.#item = item
    this.#fn = fn
  }

  protected run(signal: AbortSignal): unknown {
    return this.#fn(this.#item, this.index, signal)
  }
}

/** The items of an iterable, read when there is room for them, and closed when no more are wanted. */
export class Items implements Source {
  hasMore = true
  readonly #call: Call
  readonly #iterator: Iterator<unknown>
  readonly #fn: MapFunction

  constructor(call: Call, items: Iterable<unknown>, fn: MapFunction) {
    this.#call = call
    this.#iterator = items[Symbol.iterator]()
    this.#fn = fn
    if (Array.isArray(items)) call.knownTotal = items.length
    call.onOver = () => this.#close()
  }

  take(): Job | undefined {
    try {
      const { done, value } = this.#iterator.next()
      if (!done) return new ItemJob(this.#call, value, this.#fn)
      this.hasMore = false
      this.#call.allTaken()
    } catch (error) {
      this.hasMore = false
      this.#call.fail(error)
    }
    return undefined
  }

  #close(): void {
    if (!this.hasMore) return
    this.hasMore = false
    try {
      this.#iterator.return?.()
    } catch (error) {
      this.#call.late(error)
    }
  }
}
