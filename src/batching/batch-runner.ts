import type { Events } from '../kernel/events.ts'
import { Batch, type Gathering } from './batch.ts'
import { type CallSite, callSiteAbove } from './call-site.ts'
import type { LoaderEvents } from './loader-api.ts'
import type { LoaderSettings } from './loader-settings.ts'
import { NPlusOneWatch } from './n-plus-one.ts'
import { afterPromiseJobs } from './promise-jobs.ts'
import type { Slot } from './slot.ts'
import { type Outcome, Rejection, type Source, Unlasting } from './source.ts'
import { openWindow } from './window.ts'

/** The life of a batch: its window, its turn, the source, and the outcome of each of its keys. */
export class BatchRunner<K, V> {
  /** Batches that have started, and their keys. */
  batches = 0
  keys = 0
  /** Of those, the ones that failed. */
  errors = 0
  inFlight = 0
  readonly #settings: LoaderSettings<K>
  readonly #source: Source<K, V>
  readonly #events: Events<LoaderEvents>
  readonly #watch: NPlusOneWatch
  /** Their window has closed, and as many are in flight as may be. */
  readonly #waiting: Batch<K, V>[] = []

  constructor(settings: LoaderSettings<K>, source: Source<K, V>, events: Events<LoaderEvents>) {
    this.#settings = settings
    this.#source = source
    this.#events = events
    this.#watch = new NPlusOneWatch(settings.clock, settings.repeats, settings.withinMs)
  }

  /** Batches that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** @param asked the public method that was called with the first key */
  open(gathering: Gathering<K, V>, asked: (...args: never[]) => unknown): Batch<K, V> {
    const { clock, window } = this.#settings
    const batch = new Batch(gathering, clock)
    if (this.#events.has('n-plus-one')) batch.callSite = callSiteAbove(asked)
    gathering.open = batch
    openWindow(batch, window, clock, () => this.#onDue(batch))
    return batch
  }

  /** It is full: its window need not be waited for. */
  close(batch: Batch<K, V>): void {
    batch.stopGathering()
    if (this.#settings.window !== 'tick') afterPromiseJobs(() => this.#onDue(batch))
  }

  #onDue(batch: Batch<K, V>): void {
    if (batch.isDue) return
    batch.isDue = true
    // Whoever waits has come before: while anybody does, there is no place.
    if (this.inFlight < this.#settings.concurrency || batch.isDeserted) {
      this.#start(batch)
      return
    }
    this.#waiting.push(batch)
    // While all places are taken, batches that nobody wants must not pile up.
    batch.onDeserted = () => this.#drop(batch)
  }

  #drop(batch: Batch<K, V>): void {
    const place = this.#waiting.indexOf(batch)
    if (place >= 0) this.#waiting.splice(place, 1)
  }

  #startNext(): void {
    const { concurrency } = this.#settings
    while (this.inFlight < concurrency) {
      const batch = this.#waiting.shift()
      if (batch === undefined) return
      this.#start(batch)
    }
  }

  #start(batch: Batch<K, V>): void {
    batch.hasStarted = true
    batch.stopGathering()
    const isWhole = batch.wanted === batch.slots.length
    const slots = isWhole ? batch.slots : batch.slots.filter((slot) => !slot.forgotten)
    if (slots.length === 0) {
      batch.handOutHits()
      return
    }
    this.inFlight++
    this.batches++
    this.keys += slots.length
    const startedAt = this.#events.has('batch') ? this.#settings.clock.now() : Number.NaN
    const keys = slots.map((slot) => slot.key)
    batch.gathering.context.runInAsyncScope(this.#source.read, this.#source, keys, batch).then(
      (outcomes) => this.#settle(batch, slots, outcomes, startedAt),
      (error: unknown) => this.#fail(batch, slots, error, startedAt),
    )
    if (slots.length === 1 && batch.callSite !== undefined) this.#noteSingle(batch.callSite)
  }

  #settle(
    batch: Batch<K, V>,
    slots: readonly Slot<K, V>[],
    outcomes: ReadonlyArray<Outcome<V>>,
    startedAt: number,
  ): void {
    let errors = 0
    batch.isOver = true
    batch.handOutHits()
    for (let i = 0; i < slots.length; i++) {
      if (!settleSlot(slots[i] as Slot<K, V>, outcomes[i] as Outcome<V>)) errors++
    }
    this.#ended(slots.length, errors, startedAt)
  }

  #fail(batch: Batch<K, V>, slots: readonly Slot<K, V>[], error: unknown, startedAt: number): void {
    const outcomes = new Array<Rejection>(slots.length).fill(new Rejection(error))
    this.#settle(batch, slots, outcomes, startedAt)
  }

  #ended(size: number, errors: number, startedAt: number): void {
    this.inFlight--
    this.errors += errors
    // Nobody listened when it started: how long it took is not known.
    if (this.#events.has('batch') && !Number.isNaN(startedAt)) {
      const durationMs = this.#settings.clock.now() - startedAt
      this.#events.emit('batch', { loader: this.#settings.name, size, durationMs, errors })
    }
    this.#startNext()
  }

  #noteSingle(callSite: CallSite): void {
    const found = this.#watch.note(callSite)
    if (found) this.#events.emit('n-plus-one', { loader: this.#settings.name, ...found })
  }
}

/** @returns whether it has a value */
function settleSlot<K, V>(slot: Slot<K, V>, outcome: Outcome<V>): boolean {
  if (typeof outcome !== 'object' || outcome === null) {
    slot.resolve(outcome as V)
    return true
  }
  if (outcome instanceof Error) {
    slot.reject(outcome)
    return false
  }
  if (!(outcome instanceof Unlasting)) {
    slot.resolve(outcome)
    return true
  }
  slot.forgotten = true
  if (outcome instanceof Rejection) slot.reject(outcome.error)
  else slot.resolve(outcome.value)
  return !(outcome instanceof Rejection)
}
