import type { Clock } from '../../contracts/clock.ts'
import { Deferred } from '../../kernel/deferred.ts'
import { ResilienceError } from '../../kernel/errors.ts'
import { carefulTail } from './careful-tail.ts'
import { itemSize } from './item-size.ts'
import type { Recording } from './recording.ts'
import type { StreamTail } from './stream-tail.ts'
import { readUpstream, type Upstream } from './upstream.ts'

/** From so many on, items that all have read are cut off: one at a time would move the rest each time. */
const CUT_AT_ONCE = 64

export interface LiveOptions {
  readonly clock: Clock
  readonly maxBytes: number
  readonly maxItems: number
  /** Runs work in the async context of the wrapping, not in that of whoever asks for the next item. */
  readonly inContext: <R>(work: () => R) => R
  readonly follow: () => StreamTail
}

/** Where one reader is. */
export interface Seat {
  /** Of the item it takes next, counted from the beginning of the stream. */
  index: number
  wake: (() => void) | undefined
  /** It lagged so far behind that what it would read next is gone. */
  lost: boolean
}

/** How the stream has ended, as its record is concerned. */
type End = { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly error: unknown }

/**
 * One call of the origin, read by any number of readers, each at its own pace: an append-only buffer with
 * a place for each. The upstream is asked for an item when a reader has read all there are, so that the
 * fastest sets the pace. Whoever comes late begins at the beginning.
 *
 * One that is longer than its bounds is not recorded: from then on, what all have read is dropped, and
 * nobody can join it.
 */
export class LiveStream<T> {
  readonly tail: StreamTail
  readonly #options: LiveOptions
  readonly #controller = new AbortController()
  readonly #seats = new Set<Seat>()
  readonly #recorded = new Deferred<boolean>()
  readonly #finished = new Deferred<void>()
  readonly #firstItem = new Deferred<void>()
  readonly #startedAt: number
  #items: T[] = []
  #sizes: number[] = []
  readonly #gaps: number[] = []
  /** How many items before `#items` were dropped. */
  #dropped = 0
  #heldBytes = 0
  #bytes = 0
  #lastAt: number
  #upstream: Upstream<T> | undefined
  #pulling = false
  #draining = false
  #end: End | undefined
  recording = true

  constructor(options: LiveOptions) {
    this.#options = options
    this.tail = carefulTail(options.follow())
    this.#startedAt = options.clock.now()
    this.#lastAt = this.#startedAt
  }

  /** Aborted when nobody wants the stream any more. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get ended(): boolean {
    return this.#end !== undefined
  }

  get progress(): { items: number; bytes: number; ms: number } {
    const ms = this.#options.clock.now() - this.#startedAt
    return { items: this.#count, bytes: this.#bytes, ms }
  }

  /** Whether it is whole, or at the first moment when it cannot be kept; rejects where it fails. */
  get recorded(): Promise<boolean> {
    return this.#recorded.promise
  }

  /** Rejects where the stream fails. */
  get finished(): Promise<void> {
    return this.#finished.promise
  }

  /** Never rejects: a stream that fails before has none. */
  get firstItem(): Promise<void> {
    return this.#firstItem.promise
  }

  /** Call it once. */
  async open(call: () => unknown): Promise<void> {
    try {
      const upstream = readUpstream<T>(await this.#options.inContext(call))
      this.#upstream = upstream
      if (this.#end) upstream.stop()
      else if (this.#draining || this.#isAwaited) this.#pull()
    } catch (error) {
      this.#close({ kind: 'failed', error })
    }
  }

  /** Whoever comes when the beginning is gone has lost from the first. */
  takeSeat(): Seat {
    const seat: Seat = { index: 0, wake: undefined, lost: this.#dropped > 0 }
    if (!seat.lost) this.#seats.add(seat)
    return seat
  }

  /** @returns the next item, its end, or nothing where it has to be waited for; throws where it failed */
  take(seat: Seat): IteratorResult<T, undefined> | undefined {
    if (seat.lost) throw laggedBehind()
    if (seat.index < this.#count) {
      const value = this.#items[seat.index++ - this.#dropped] as T
      if (!this.recording) this.#dropRead()
      return { done: false, value }
    }
    if (this.#end?.kind === 'failed') throw this.#end.error
    return this.#end && { done: true, value: undefined }
  }

  /** Resolves when `take` has something else to say, or the seat was left. */
  wait(seat: Seat): Promise<void> {
    return new Promise((resolve) => {
      seat.wake = resolve
      this.#pull()
    })
  }

  leave(seat: Seat): void {
    this.#seats.delete(seat)
    wake(seat)
    if (!this.recording) this.#dropRead()
  }

  /** Reads to the end although nobody waits for it. */
  drain(): void {
    this.#draining = true
    this.#pull()
  }

  /** Ends it for all; the upstream is told. */
  abort(reason: unknown): void {
    if (this.#end) return
    this.#close({ kind: 'failed', error: reason })
    this.#controller.abort(reason)
    this.#upstream?.stop()
  }

  record(): Recording<T> {
    return { items: this.#items, gaps: this.#gaps }
  }

  get #count(): number {
    return this.#dropped + this.#items.length
  }

  get #isAwaited(): boolean {
    for (const seat of this.#seats) if (seat.wake) return true
    return false
  }

  #pull(): void {
    const upstream = this.#upstream
    if (this.#pulling || this.#end || !upstream) return
    this.#pulling = true
    this.#options
      .inContext(() => nextOf(upstream))
      .then(
        (result) => this.#received(result),
        (error: unknown) => this.#close({ kind: 'failed', error }),
      )
      // An item that cannot even be measured must not leave the readers waiting.
      .catch((error: unknown) => this.abort(error))
  }

  #received(result: IteratorResult<T, unknown>): void {
    this.#pulling = false
    if (this.#end) return
    if (result.done) {
      this.#close({ kind: 'ended' })
      return
    }
    this.#append(result.value)
    this.#firstItem.resolve()
    this.#wakeAll()
    if (this.#draining) this.#pull()
    else if (!this.recording && this.#seats.size === 0) this.abort(everyReaderLeft())
  }

  #append(item: T): void {
    const { clock, maxBytes, maxItems } = this.#options
    const now = clock.now()
    const size = itemSize(item)
    this.#items.push(item)
    this.#sizes.push(size)
    this.#bytes += size
    this.#heldBytes += size
    if (this.recording) this.#gaps.push(Math.max(0, Math.floor(now - this.#lastAt)))
    this.#lastAt = now
    this.tail.add(item)
    if (this.recording && (this.#bytes > maxBytes || this.#count > maxItems)) {
      this.recording = false
      // Nothing will be kept of it: from here on it is read for its readers only.
      this.#draining = false
      this.#gaps.length = 0
      this.#recorded.resolve(false)
    }
    if (!this.recording) this.#cutLaggards()
  }

  /** The bound has to hold for a reader that has stopped reading, too. */
  #cutLaggards(): void {
    this.#dropRead()
    while (this.#heldBytes > 2 * this.#options.maxBytes && this.#seats.size > 1) {
      const last = this.#slowest()
      if (!last || last.index >= this.#count - 1) return
      last.lost = true
      this.#seats.delete(last)
      wake(last)
      this.#dropRead()
    }
  }

  #slowest(): Seat | undefined {
    let last: Seat | undefined
    for (const seat of this.#seats) if (!last || seat.index < last.index) last = seat
    return last
  }

  #dropRead(): void {
    const read = (this.#slowest()?.index ?? this.#count) - this.#dropped
    if (read < CUT_AT_ONCE && read < this.#items.length) return
    for (let i = 0; i < read; i++) this.#heldBytes -= this.#sizes[i] as number
    this.#items = this.#items.slice(read)
    this.#sizes = this.#sizes.slice(read)
    this.#dropped += read
  }

  #close(end: End): void {
    if (this.#end) return
    this.#end = end
    if (end.kind === 'ended') {
      this.#recorded.resolve(this.recording)
      this.#finished.resolve()
    } else {
      this.#recorded.reject(end.error)
      this.#finished.reject(end.error)
    }
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const seat of this.#seats) wake(seat)
  }
}

/** Also where an iterator throws instead of giving a promise. */
async function nextOf<T>(upstream: Upstream<T>): Promise<IteratorResult<T, unknown>> {
  return upstream.next()
}

function wake(seat: Seat): void {
  const { wake } = seat
  seat.wake = undefined
  wake?.()
}

export function everyReaderLeft(): ResilienceError {
  return new ResilienceError('ERR_ABORTED', 'every reader of this stream has left it')
}

function laggedBehind(): ResilienceError {
  return new ResilienceError(
    'ERR_ABORTED',
    'this reader of a shared stream is more than twice maxBytes behind the fastest one, and what it ' +
      'would read next is gone: read faster, or raise maxBytes',
  )
}
