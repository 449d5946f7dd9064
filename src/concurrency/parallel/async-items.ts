import type { Call } from './call.ts'
import type { Source } from './feed.ts'
import { ItemJob, type MapFunction } from './items.ts'
import type { Job } from './job.ts'

/** As Items, of an async iterable: one item is asked for at a time. */
export class AsyncItems implements Source {
  hasMore = true
  /** Called when there is something to take. */
  onRead: () => void = () => {}
  readonly #call: Call
  readonly #iterator: AsyncIterator<unknown>
  readonly #fn: MapFunction
  #isReading = false
  #read: { readonly value: unknown } | undefined

  constructor(call: Call, items: AsyncIterable<unknown>, fn: MapFunction) {
    this.#call = call
    this.#iterator = items[Symbol.asyncIterator]()
    this.#fn = fn
    call.onOver = () => this.#close()
  }

  take(): Job | undefined {
    const read = this.#read
    if (read) {
      this.#read = undefined
      return new ItemJob(this.#call, read.value, this.#fn)
    }
    if (!this.#isReading) void this.#readNext()
    return undefined
  }

  async #readNext(): Promise<void> {
    this.#isReading = true
    try {
      const { done, value } = await this.#iterator.next()
      this.#isReading = false
      if (done) {
        this.hasMore = false
        this.#call.allTaken()
      } else {
        this.#read = { value }
        this.onRead()
      }
    } catch (error) {
      this.hasMore = false
      this.#call.fail(error)
    }
  }

  #close(): void {
    if (!this.hasMore) return
    this.hasMore = false
    // A generator in the middle of a step comes to its end after that step; nobody waits for it.
    void this.#return()
  }

  async #return(): Promise<void> {
    try {
      await this.#iterator.return?.()
    } catch (error) {
      this.#call.late(error)
    }
  }
}
