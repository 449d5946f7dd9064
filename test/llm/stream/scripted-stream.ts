/** A stream whose items come when the test says so. */
export class ScriptedStream<T> implements AsyncIterable<T> {
  /** How often an item was asked for. */
  asked = 0
  stopped = false
  readonly #items: T[] = []
  #end: { error: unknown } | 'done' | undefined
  #waiting: (() => void) | undefined

  push(...items: T[]): void {
    this.#items.push(...items)
    this.#waiting?.()
  }

  end(): void {
    this.#end = 'done'
    this.#waiting?.()
  }

  fail(error: unknown): void {
    this.#end = { error }
    this.#waiting?.()
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: async () => {
        this.asked++
        while (this.#items.length === 0 && this.#end === undefined) {
          await new Promise<void>((resolve) => {
            this.#waiting = resolve
          })
        }
        if (this.#items.length > 0) return { done: false, value: this.#items.shift() as T }
        if (this.#end !== 'done') throw this.#end?.error
        return { done: true, value: undefined }
      },
      return: async () => {
        this.stopped = true
        return { done: true, value: undefined }
      },
    }
  }
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** Lets everything go on that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}
