import type { VirtualTime } from './virtual-time.ts'

/**
 * How one connection is at present. `ok`. `slow`: a way takes longer than an L2 deadline. `mute`:
 * half-open, requests arrive and nothing comes back. `dead`: nothing arrives, and nobody is told.
 */
export type LinkMode = 'ok' | 'slow' | 'mute' | 'dead'

/** Shares of the messages of the bus; what TCP keeps from happening and proxies do. */
export interface BusFaults {
  readonly lost: number
  readonly twice: number
}

/** The way between one process and Redis: its two connections, and how they are. */
export class SimLink {
  data: LinkMode = 'ok'
  bus: LinkMode = 'ok'
  busFaults: BusFaults = { lost: 0, twice: 0 }
  /** When a message was last lost, or sent twice, or the bus was in trouble. */
  busTroubledAt = Number.NEGATIVE_INFINITY
  /** Set by the transport: both connections are reset. */
  onCut: () => void = () => {}
  readonly #random: () => number
  readonly #time: VirtualTime

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time
    this.#random = random
  }

  get isWell(): boolean {
    return this.data === 'ok' && this.bus === 'ok'
  }

  /** One way, in milliseconds. */
  delay(mode: LinkMode): number {
    const random = this.#random()
    if (mode === 'slow') return 30 + 90 * random
    // Mostly a fraction of a millisecond, sometimes several: enough for two connections to cross.
    return random < 0.9 ? 0.05 + random : 0.5 + 60 * (random - 0.9)
  }

  /** How often a message of the bus arrives. */
  copies(): number {
    const { lost, twice } = this.busFaults
    if (lost === 0 && twice === 0) return 1
    const random = this.#random()
    if (random >= lost + twice) return 1
    this.busTroubledAt = this.#time.now
    return random < lost ? 0 : 2
  }
}
