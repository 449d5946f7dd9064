import type { ResilienceError } from '../kernel/errors.ts'
import type { Entry } from '../l1/entry.ts'
import type { Outcome } from './outcome.ts'

/** What others see of a load under way. */
export interface InFlight {
  /** Its key in L2. */
  readonly storeKey: string
  /** How the load itself ends, after whatever callers were answered with. */
  readonly final: Promise<Outcome>
  /** Whether it calls the origin whatever L2 holds. */
  readonly forced: boolean
  /** Nobody waits for it, or whoever did has been answered. */
  readonly background: boolean
  /** L2 was asked and had nothing fresh: now it waits for the origin, or for another process. */
  readonly looked: boolean
  /** `softTimeout` has passed: callers get a stale value at once. */
  readonly softElapsed: boolean
  /** Something was invalidated since it began: it must not be joined, and stores nothing. */
  readonly outdated: boolean
  /** The local sequence when it began. */
  readonly startedSequence: number
  /** Its result turned out to have a tag that was invalidated since the start. */
  readonly foundOutdated: boolean
  /** Another process has written the key since L2 was last asked: it is not joined by who comes now. */
  readonly overtaken: boolean
  /** Another process has stored the key while its origin ran without a lease: it is not joined. */
  readonly raced: boolean
  /** A caller that joins has something usable that is not fresh. */
  offerStale(entry: Entry): void
  /** What a caller that waits for it gets. */
  join(): Promise<Outcome>
  /** A caller gives up waiting. */
  leave(): void
  /** Its key was invalidated: it is not joined, stores nothing and answers with nothing older. */
  detach(): void
  /** Another load takes its place: it is not joined and stores nothing. */
  supersede(): void
  /** Another process has written the key: what this load has read may be old by now. */
  overtake(at: { sequence: number; epoch: number }): void
  /** Messages were lost: what another process has done to the key may be unknown here. */
  doubt(): void
  /** Another process has done something to the key: a load that waits for it looks again. */
  wake(): void
  /** Ends it for everybody. */
  abort(reason: ResilienceError): void
}
