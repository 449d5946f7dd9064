import type { Clock, Timer } from '../../contracts/clock.ts'
import type { Position } from '../../contracts/store.ts'
import type { BusWatch } from './bus-watch.ts'

const EVERY_MS = 1000
/** Share of the interval by which beats of many processes are spread. */
const JITTER = 0.1
/** A message may be on its way while the answer of the server is here already. */
const GRACE_MS = 250

/** Where each part stands; a part that could not be asked is left out. */
export type Positions = ReadonlyMap<number, Position | undefined>

export interface HeartbeatWorld {
  readonly clock: Clock
  readonly random: () => number
  readonly watch: BusWatch
  /** Never rejects. */
  readonly positions: () => Promise<Positions>
  readonly lost: () => void
}

/**
 * Asks the server once a second where it stands: what was said on the bus and not heard is found out
 * even if nothing is said after it.
 */
export class Heartbeat {
  readonly #world: HeartbeatWorld
  #next: Timer | undefined
  #grace: Timer | undefined
  /** Of the beats that count: those before a stop do not. */
  #run = 0

  constructor(world: HeartbeatWorld) {
    this.#world = world
  }

  start(): void {
    this.stop()
    this.#schedule(this.#run)
  }

  /** One beat now, besides those of the second. */
  async beat(): Promise<void> {
    const run = this.#run
    const { clock, watch } = this.#world
    const positions = await this.#world.positions()
    if (run !== this.#run) return
    const ahead = [...positions].filter(([partition, position]) =>
      watch.isBehind(partition, position),
    )
    if (ahead.length === 0) return
    clock.clearTimeout(this.#grace)
    const settle = (): void => this.#settle(ahead as [number, Position][])
    this.#grace = clock.setTimeout(settle, GRACE_MS, { unref: true })
  }

  stop(): void {
    this.#run++
    const { clock } = this.#world
    clock.clearTimeout(this.#next)
    clock.clearTimeout(this.#grace)
    this.#next = undefined
    this.#grace = undefined
  }

  #settle(ahead: readonly [number, Position][]): void {
    const missed = ahead.filter(([partition, position]) =>
      this.#world.watch.giveUp(partition, position),
    )
    if (missed.length > 0) this.#world.lost()
  }

  #schedule(run: number): void {
    const { clock, random } = this.#world
    const ms = EVERY_MS * (1 - JITTER * random())
    // The next one does not wait for the answer: behind a dead node that may never come.
    const tick = (): void => {
      if (run !== this.#run) return
      this.#schedule(run)
      void this.beat()
    }
    this.#next = clock.setTimeout(tick, ms, { unref: true })
  }
}
