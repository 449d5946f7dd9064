import type { Clock } from '../contracts/clock.ts'
import type {
  LoadEnd,
  ReadReply,
  ReadRequest,
  StampMode,
  StoreSession,
  WriteReply,
  WriteRequest,
} from '../contracts/store.ts'
import { type ChaosFault, type ChosenFaults, corrupted, faultOf, sleep } from './chaos-faults.ts'

/** What the sessions of one chaos store share. */
export interface ChaosState {
  faults: ChosenFaults
  readonly random: () => number
  readonly lateMs: number
  readonly counts: { operations: number } & { [fault in ChaosFault]: number }
}

export class ChaosSession implements StoreSession {
  readonly #inner: StoreSession
  readonly #clock: Clock
  readonly #state: ChaosState

  constructor(inner: StoreSession, clock: Clock, state: ChaosState) {
    this.#inner = inner
    this.#clock = clock
    this.#state = state
  }

  read(request: ReadRequest): Promise<ReadReply> {
    return this.#run(
      () => this.#inner.read(request),
      (reply, draw) => this.#corrupt(reply, draw),
    )
  }

  write(request: WriteRequest): Promise<WriteReply> {
    return this.#run(() => this.#inner.write(request))
  }

  delete(keys: readonly string[]): Promise<{ readonly sequence: number }> {
    return this.#run(() => this.#inner.delete(keys))
  }

  stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }> {
    return this.#run(() => this.#inner.stamp(tags, mode))
  }

  renew(key: string, token: string, ms: number): Promise<boolean> {
    return this.#run(() => this.#inner.renew(key, token, ms))
  }

  release(key: string, token: string, end?: LoadEnd): Promise<void> {
    return this.#run(() => this.#inner.release(key, token, end))
  }

  probe(): Promise<void> {
    return this.#run(() => this.#inner.probe())
  }

  /** Without faults: a cache must be able to end, whatever state its store is in. */
  close(): Promise<void> {
    return this.#inner.close()
  }

  async #run<R>(operation: () => Promise<R>, corrupt?: (reply: R, draw: number) => R): Promise<R> {
    const { faults, random, counts, lateMs } = this.#state
    counts.operations++
    // Drawn before anything is awaited: the order of the calls alone decides who gets which fault.
    const draw = random()
    const fault = faultOf(draw, faults.rates)
    if (fault && fault !== 'corrupts') counts[fault]++
    if (faults.delayMs > 0) await sleep(this.#clock, faults.delayMs)
    switch (fault) {
      case 'throws':
        throw new Error('chaosStore: this operation was chosen to fail')
      case 'hangs':
        return new Promise<never>(() => {})
      case 'late': {
        const [outcome] = await Promise.allSettled([operation(), sleep(this.#clock, lateMs)])
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value
      }
      case 'corrupts': {
        const reply = await operation()
        return corrupt ? corrupt(reply, draw) : reply
      }
      default:
        return operation()
    }
  }

  #corrupt(reply: ReadReply, draw: number): ReadReply {
    const damaged = corrupted(reply, draw)
    if (damaged) this.#state.counts.corrupts++
    return damaged ?? reply
  }
}
