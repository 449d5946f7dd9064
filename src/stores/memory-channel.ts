import type { BusMessage } from '../contracts/store.ts'
import { MemorySpace } from './memory-space.ts'

export type Listener = (message: BusMessage) => void

const EPOCHS = 2 ** 32

/** The sessions of one space, and the data they share until it is lost. */
export class MemoryChannel {
  readonly #listeners = new Set<Listener>()
  readonly #maxEntries: number
  #space: MemorySpace | undefined
  #lastEpoch: number | undefined

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  space(random: () => number): MemorySpace {
    this.#space ??= new MemorySpace(this.#newEpoch(random), this.#maxEntries)
    return this.#space
  }

  lose(): void {
    this.#space = undefined
  }

  join(listener: Listener): void {
    this.#listeners.add(listener)
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener)
  }

  /** Tells all but the sender, after the present step; microtasks keep the order of the sequence. */
  publish(sender: Listener, message: BusMessage): void {
    for (const listener of this.#listeners) {
      if (listener === sender) continue
      void Promise.resolve().then(() => {
        if (!this.#listeners.has(listener)) return
        try {
          listener(message)
        } catch {
          // A listener that fails has nobody here to tell, and must not become an unhandled rejection.
        }
      })
    }
  }

  #newEpoch(random: () => number): number {
    const drawn = Math.floor(random() * EPOCHS)
    this.#lastEpoch = drawn === this.#lastEpoch ? (drawn + 1) % EPOCHS : drawn
    return this.#lastEpoch
  }
}
