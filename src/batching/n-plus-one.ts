import type { Clock } from '../contracts/clock.ts'
import { type CallSite, lineOf } from './call-site.ts'

/** The event `n-plus-one`: one place asks for key after key, each in a batch of its own. */
export interface NPlusOne {
  readonly loader: string
  /** So many batches of one key so far. Told at `repeats` and then each time that it has doubled. */
  readonly count: number
  /** The line that asks, as in a stack trace. */
  readonly callSite: string
}

interface Repeats {
  count: number
  lastAt: number
  /** When it is told next. */
  next: number
}

/** Counts batches of a single key by call site, within one request or async context. */
export class NPlusOneWatch {
  readonly #clock: Clock
  readonly #repeats: number
  readonly #withinMs: number
  readonly #contexts = new WeakMap<object, Map<string, Repeats>>()

  constructor(clock: Clock, repeats: number, withinMs: number) {
    this.#clock = clock
    this.#repeats = repeats
    this.#withinMs = withinMs
  }

  /** @returns count and call site where it is to be told. */
  note(callSite: CallSite): { count: number; callSite: string } | undefined {
    const line = lineOf(callSite)
    let places = this.#contexts.get(callSite.context)
    if (places === undefined) {
      places = new Map()
      this.#contexts.set(callSite.context, places)
    }
    const now = this.#clock.now()
    let place = places.get(line)
    if (place === undefined || now - place.lastAt > this.#withinMs) {
      place = { count: 0, lastAt: now, next: this.#repeats }
      places.set(line, place)
    }
    place.count++
    place.lastAt = now
    if (place.count < place.next) return undefined
    place.next = place.count * 2
    return { count: place.count, callSite: line }
  }
}
