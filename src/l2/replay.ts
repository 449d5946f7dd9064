import type { Clock } from '../contracts/clock.ts'
import type { Journal, Replayed } from './journal.ts'

const REPLAY_MS = 1000

interface ReplayOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly journal: Journal
  /** Resolves when L2 has acknowledged it. */
  readonly tell: (replayed: Replayed) => Promise<unknown>
  readonly onError: (error: unknown) => void
}

/** Tells L2 what it has missed, again and again until it has heard everything. */
export class Replay {
  readonly #options: ReplayOptions
  #timer: unknown
  #running: Promise<boolean> | undefined
  #isAgain = false
  #stopped = false

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /** About a second from now, unless a replay is due already. */
  schedule(): void {
    if (this.#timer !== undefined || this.#stopped) return
    const { clock, random, journal } = this.#options
    const ms = REPLAY_MS * (0.5 + 0.5 * random())
    const onTime = (): void => {
      this.#timer = undefined
      void this.run().then(() => {
        if (journal.hasFailed) this.schedule()
      })
    }
    this.#timer = clock.setTimeout(onTime, ms, { unref: true })
  }

  /** Now: L2 is there, and until it has heard of everything it is not believed. */
  hurry(): void {
    const { clock, journal } = this.#options
    if (this.#stopped || !journal.hasFailed) return
    if (this.#running !== undefined) {
      this.#isAgain = true
      return
    }
    clock.clearTimeout(this.#timer)
    this.#timer = undefined
    void this.run().then(() => {
      if (journal.hasFailed) this.schedule()
    })
  }

  /** Resolves to whether L2 has heard all that had failed when the replay began. */
  run(): Promise<boolean> {
    this.#running ??= this.#once().finally(() => {
      this.#running = undefined
      if (!this.#isAgain) return
      this.#isAgain = false
      this.hurry()
    })
    return this.#running
  }

  stop(): void {
    this.#stopped = true
    this.#options.clock.clearTimeout(this.#timer)
  }

  async #once(): Promise<boolean> {
    const { clock, journal, tell, onError } = this.#options
    // What fails while this runs is left to the next replay: otherwise it might never end.
    const until = journal.last
    try {
      for (let next = journal.next(until); next && !this.#stopped; next = journal.next(until)) {
        await tell(next)
        journal.acknowledged(next)
        journal.told(next.kind, next.names, clock.now())
      }
      return !this.#stopped
    } catch (error) {
      onError(error)
      return false
    }
  }
}
