import type { AsyncResource } from 'node:async_hooks'
import type { Clock, Timer } from '../contracts/clock.ts'
import { ResilienceError } from '../kernel/errors.ts'
import type { CallSite } from './call-site.ts'
import { Slot } from './slot.ts'

/** Where the keys of one request, or of all, come together. */
export interface Gathering<K, V> {
  /** The batch that takes keys at present. */
  open: Batch<K, V> | undefined
  /** No memo tells which keys are under way: the batch itself has to. */
  readonly hasIndex: boolean
  /** Where its batches run. */
  readonly context: AsyncResource
}

/** Keys that go to the batch function together. */
export class Batch<K, V> {
  readonly gathering: Gathering<K, V>
  readonly slots: Slot<K, V>[] = []
  weight = 0
  /** Its window has closed; keys may still join it while it waits for its turn. */
  isDue = false
  hasStarted = false
  /** Its keys have their outcomes. */
  isOver = false
  /** When its first and its last key came, where the window has to know. */
  openedAt = 0
  lastAt = 0
  timer: Timer
  /** Where its first key was asked for, while somebody listens for N+1. */
  callSite: CallSite | undefined
  /** While it waits for its turn: what to do when nobody waits for anything of it any more. */
  onDeserted: (() => void) | undefined
  /** Where no memo says so: which keys are in it. A batch of a single key needs no map. */
  #index: Map<unknown, Slot<K, V>> | undefined
  #firstId: unknown
  #left = 0
  #hits: Array<() => void> | undefined
  #controller: AbortController | undefined
  readonly #clock: Clock

  constructor(gathering: Gathering<K, V>, clock: Clock) {
    this.gathering = gathering
    this.#clock = clock
  }

  /** How many of its keys nobody has given up. */
  get wanted(): number {
    return this.slots.length - this.#left
  }

  /** Nobody waits for anything of it. */
  get isDeserted(): boolean {
    return this.wanted === 0 && this.#hits === undefined
  }

  /** Aborted when nobody waits for any of its keys any more. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.wanted === 0) this.#abort()
    }
    return this.#controller.signal
  }

  add(key: K, id: unknown): Slot<K, V> {
    const slot = new Slot<K, V>(key, this)
    if (this.gathering.hasIndex) this.#note(id, slot)
    this.slots.push(slot)
    return slot
  }

  /** The key with this identity, if it is in the batch and still wanted. */
  find(id: unknown): Slot<K, V> | undefined {
    const first = this.#firstId === id ? this.slots[0] : undefined
    const found = this.#index === undefined ? first : this.#index.get(id)
    return found?.forgotten ? undefined : found
  }

  /** No more keys, and no waiting for any. */
  stopGathering(): void {
    if (this.gathering.open === this) this.gathering.open = undefined
    if (this.timer === undefined) return
    this.#clock.clearTimeout(this.timer)
    this.timer = undefined
  }

  onLeave(): void {
    this.#left++
    if (this.wanted === 0 && this.hasStarted) this.#abort()
    if (!this.isDeserted) return
    this.stopGathering()
    this.onDeserted?.()
  }

  /** A value from the memo that is to be handed out with those of the batch. */
  handOutLater<T>(promise: Promise<T>): Promise<T> {
    this.#hits ??= []
    const hits = this.#hits
    return new Promise((resolve) => {
      hits.push(() => resolve(promise))
    })
  }

  handOutHits(): void {
    if (this.#hits === undefined) return
    for (const hit of this.#hits) hit()
    this.#hits = undefined
  }

  #note(id: unknown, slot: Slot<K, V>): void {
    if (this.slots.length === 0) {
      this.#firstId = id
      return
    }
    this.#index ??= new Map([[this.#firstId, this.slots[0] as Slot<K, V>]])
    this.#index.set(id, slot)
  }

  #abort(): void {
    this.#controller?.abort(
      new ResilienceError('ERR_ABORTED', 'nobody waits for any key of this batch any more'),
    )
  }
}
