import type { LiveStream, Seat } from './live-stream.ts'
import type { Place } from './stream-reader.ts'

/** A reader's place at a stream that is under way. */
export class LiveSeat<T> implements Place<T> {
  readonly source: 'upstream' | 'joined'
  readonly #live: LiveStream<T>
  readonly #seat: Seat

  constructor(live: LiveStream<T>, source: 'upstream' | 'joined') {
    this.source = source
    this.#live = live
    this.#seat = live.takeSeat()
  }

  take(): IteratorResult<T, undefined> | undefined {
    return this.#live.take(this.#seat)
  }

  wait(): Promise<void> {
    return this.#live.wait(this.#seat)
  }

  leave(): void {
    this.#live.leave(this.#seat)
  }
}
