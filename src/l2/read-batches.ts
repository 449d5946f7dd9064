import type { Clock } from '../contracts/clock.ts'
import type { ReadReply, ReadRequest } from '../contracts/store.ts'
import { PassingMap, PassingSet } from '../kernel/passing-map.ts'
import type { Deadlines } from './deadlines.ts'
import type { RemoteReply } from './merge-reads.ts'
import { type ClosedBatch, kindOf, ReadBatch, Reader } from './read-batch.ts'

const MAX_IN_FLIGHT = 4

interface ReadBatchesOptions {
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** Whether a batch is worth sending. */
  readonly isUsable: () => boolean
  /**
   * One operation of the store, or `undefined` when it failed or did not answer in time; what comes
   * after that goes to `onLate`.
   */
  readonly send: (
    request: ReadRequest,
    onLate: (reply: ReadReply) => void,
  ) => Promise<ReadReply | undefined>
  /** A lease that nobody waits for any more. */
  readonly onUnused: (key: string, token: string) => void
}

/**
 * Makes one operation of the reads of one turn. While others are under way a turn is long: whatever
 * arrives with it is read together. At most four are under way; what comes then waits, and merges.
 */
export class ReadBatches {
  readonly #options: ReadBatchesOptions
  /** Not sent yet, the oldest first. */
  readonly #waiting = new PassingSet<ReadBatch>()
  /** Those that take more, by kind. */
  readonly #forming = new PassingMap<string, ReadBatch>()
  #inFlight = 0
  #sent = 0
  #isDue = false

  constructor(options: ReadBatchesOptions) {
    this.#options = options
  }

  read(request: ReadRequest, until?: number): Promise<RemoteReply | undefined> {
    return new Promise((resolve) => {
      this.#batchFor(request).add(new Reader(request, this.#options.deadlines, resolve, until))
      this.#schedule()
    })
  }

  /** L2 is lost: nobody has to wait for what is not going to be sent. */
  drop(): void {
    const dropped = [...this.#waiting]
    for (const batch of dropped) this.#take(batch)
    for (const batch of dropped) batch.drop()
  }

  #batchFor(request: ReadRequest): ReadBatch {
    const kind = kindOf(request.lease)
    const forming = this.#forming.get(kind)
    if (forming?.takes(request)) return forming
    const batch = new ReadBatch(request.lease)
    this.#forming.set(kind, batch)
    this.#waiting.add(batch)
    return batch
  }

  #schedule(): void {
    if (this.#isDue || this.#inFlight >= MAX_IN_FLIGHT) return
    this.#isDue = true
    const flush = (): void => this.#flush()
    if (this.#inFlight === 0) queueMicrotask(flush)
    else this.#options.clock.immediate(flush)
  }

  #flush(): void {
    this.#isDue = false
    if (!this.#options.isUsable()) {
      this.drop()
      return
    }
    for (const batch of [...this.#waiting]) {
      if (this.#inFlight >= MAX_IN_FLIGHT) return
      this.#take(batch)
      const closed = batch.close(++this.#sent)
      if (closed.readers.length > 0) void this.#send(closed)
    }
  }

  #take(batch: ReadBatch): void {
    this.#waiting.delete(batch)
    if (this.#forming.get(batch.kind) === batch) this.#forming.delete(batch.kind)
  }

  async #send(batch: ClosedBatch): Promise<void> {
    const { send, onUnused } = this.#options
    this.#inFlight++
    const answer = (reply: ReadReply | undefined): void => batch.answer(reply, onUnused)
    const reply = await send(batch.request, answer)
    this.#inFlight--
    if (this.#waiting.size > 0) this.#schedule()
    answer(reply)
  }
}
