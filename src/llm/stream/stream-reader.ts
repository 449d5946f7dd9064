import { quietError } from '../../kernel/quiet-error.ts'
import { plainCopy } from './plain-copy.ts'

/** Where the items of a stream come from. */
export type StreamSource =
  /** From the origin, which was called for this reader. */
  | 'upstream'
  /** From a call of the origin that another reader had begun. */
  | 'joined'
  /** From the cache: it was paid for before. */
  | 'replay'

/**
 * What a call of a cached stream gives. Like what a generator gives it can be read once; a second call
 * gives a second one. Nothing begins before its first item is asked for.
 */
export interface SharedStream<T> extends AsyncIterableIterator<T, undefined> {
  /** Known with the first item. */
  readonly source: StreamSource | undefined
  return(): Promise<IteratorResult<T, undefined>>
  /** Leaves the stream, as `return()` and `break` do: others go on reading. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A place at a stream. */
export interface Place<T> {
  readonly source: StreamSource
  take(): IteratorResult<T, undefined> | undefined
  wait(): Promise<void>
  leave(): void
}

/** The way to a place: at what is stored, at what is running, else at a new call. */
export interface Entrance<T> {
  /** Another reader has begun before. */
  readonly joined: boolean
  /** Until then, who enters anew is led to the same stream again. Never rejects. */
  readonly closed: Promise<void>
  /** @returns nothing where it was left meanwhile */
  place(): Promise<Place<T> | undefined>
  /** It is not wanted any more; a place that was got there is left as well. */
  leave(): void
}

const DONE = Object.freeze({ done: true, value: undefined }) as IteratorReturnResult<undefined>

/** One consumer of a stream. */
export class StreamReader<T> implements SharedStream<T> {
  readonly #open: () => Entrance<T>
  readonly #signal: AbortSignal | undefined
  #entrance: Entrance<T> | undefined
  #place: Place<T> | undefined
  #source: StreamSource | undefined
  #received = false
  #retried = false
  #over = false
  /** For the `next()` that is waiting, or else the following one. */
  #error: { readonly error: unknown } | undefined
  /** Calls of `next()` are answered in their order. */
  #last: Promise<unknown> | undefined
  #wake: (() => void) | undefined

  constructor(open: () => Entrance<T>, signal: AbortSignal | undefined) {
    this.#open = open
    this.#signal = signal
  }

  get source(): StreamSource | undefined {
    return this.#source
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#last === undefined && this.#place) {
      const result = this.#take(this.#place)
      if (result) return Promise.resolve(result)
    }
    const step = this.#last === undefined ? this.#step() : this.#last.then(() => this.#step())
    const last = step
      .catch(() => {})
      .then(() => {
        if (this.#last === last) this.#last = undefined
      })
    this.#last = last
    return step
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#finish()
    return DONE
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    this.#finish()
    throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish()
  }

  async #step(): Promise<IteratorResult<T, undefined>> {
    while (!this.#over) {
      if (!this.#place) await this.#enter()
      else {
        const result = this.#take(this.#place)
        if (result) return result
        if (!this.#over) await this.#place?.wait()
      }
    }
    const failure = this.#error
    this.#error = undefined
    if (failure) throw failure.error
    return DONE
  }

  #take(place: Place<T>): IteratorResult<T, undefined> | undefined {
    try {
      const result = place.take()
      if (!result) return undefined
      if (result.done) this.#finish()
      this.#received = true
      return result.done ? result : { done: false, value: plainCopy(result.value) }
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  async #enter(): Promise<void> {
    if (!this.#listen()) return
    const left = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    try {
      if (this.#entrance) await Promise.race([this.#entrance.closed, left])
      if (this.#over) return
      const entrance = this.#open()
      this.#entrance = entrance
      const place = await Promise.race([entrance.place(), left])
      if (!place || this.#over) return
      this.#place = place
      this.#source = place.source
    } catch (error) {
      this.#failed(error)
    }
  }

  /**
   * Whoever has waited for another's call and has got nothing of it may make one, once; whoever has
   * received a part cannot begin anew.
   */
  #failed(error: unknown): void {
    if (this.#over) return
    if (this.#isOfAnother(error) && !this.#received && !this.#retried) {
      this.#retried = true
      this.#entrance?.leave()
      this.#place = undefined
      return
    }
    this.#error = { error }
    this.#finish()
  }

  /** Who made the call that has failed is told so; others have not asked for it. */
  #isOfAnother(error: unknown): boolean {
    return this.#entrance?.joined === true || isFromAnotherProcess(error)
  }

  readonly #onAbort = (): void => {
    if (this.#over) return
    this.#error = { error: stoppedBySignal(this.#signal as AbortSignal) }
    this.#finish()
  }

  /** @returns whether the signal lets it begin */
  #listen(): boolean {
    const signal = this.#signal
    if (!signal) return true
    if (signal.aborted) this.#onAbort()
    else if (!this.#entrance) signal.addEventListener('abort', this.#onAbort, { once: true })
    return !this.#over
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#entrance?.leave()
    this.#wake?.()
  }
}

/** It has waited for a recording that another process was making. */
export function isFromAnotherProcess(error: unknown): boolean {
  return (error as { fromAnotherProcess?: unknown } | null | undefined)?.fromAnotherProcess === true
}

function stoppedBySignal(signal: AbortSignal): Error {
  return quietError('ERR_ABORTED', 'the reading of this stream was aborted by its signal', {
    cause: signal.reason,
  })
}
