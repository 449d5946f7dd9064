import type { Timer } from '../../../contracts/clock.ts'
import type { TransportWorld } from '../transport.ts'
import type { Link } from './link.ts'
import { ReconnectDelay } from './reconnect-delay.ts'
import { kindOfFailure } from './redis-errors.ts'
import type { Heard } from './subscriber.ts'

/**
 * More connections to the server that the first one has reached, used in turn with it. They live and
 * die with the first, which alone decides where the server is and whether it serves.
 */
export class SpareLinks {
  readonly #world: TransportWorld
  readonly #count: number
  #links: Link[] = []
  readonly #timers = new Set<Timer>()
  #server: Heard | undefined
  readonly #opening = new Set<Link>()
  #turn = 0

  constructor(world: TransportWorld, count: number) {
    this.#world = world
    this.#count = count
  }

  /** The first, or one of the others that are open. */
  next(first: Link): Link {
    if (this.#links.length === 0) return first
    this.#turn = (this.#turn + 1) % (this.#links.length + 1)
    return this.#links[this.#turn - 1] ?? first
  }

  start(server: Heard): void {
    this.#server = server
    for (let at = 0; at < this.#count; at++) {
      this.#keep(server, new ReconnectDelay(this.#world.random))
    }
  }

  stop(reason: Error): void {
    this.#server = undefined
    for (const timer of this.#timers) this.#world.clock.clearTimeout(timer)
    this.#timers.clear()
    for (const link of [...this.#opening, ...this.#links.splice(0)]) link.destroy(reason)
  }

  async close(reason: Error): Promise<void> {
    const links = [...this.#opening, ...this.#links]
    // So that what was sent on them still arrives.
    this.#links = []
    const ends = links.map((link) => link.end())
    this.stop(reason)
    await Promise.all(ends)
  }

  #keep(server: Heard, delay: ReconnectDelay): void {
    delay.attempted(this.#world.clock.now())
    const again = (error: Error): void => {
      this.#links = this.#links.filter((one) => one !== link)
      if (this.#server !== server) return
      const ms = delay.after(kindOfFailure(error), this.#world.clock.now())
      const timer = this.#world.clock.setTimeout(
        () => {
          this.#timers.delete(timer)
          this.#keep(server, delay)
        },
        ms,
        { unref: true },
      )
      this.#timers.add(timer)
    }
    const link = server.open({ onLoading: () => {}, onEnd: again })
    this.#opening.add(link)
    link.opened
      .then(
        (info) => {
          const isSame = !info.run_id || info.run_id === server.info.run_id
          if (this.#server === server && isSame) this.#links.push(link)
          else link.destroy(new Error('another server'))
        },
        (error: Error) => again(error),
      )
      .finally(() => this.#opening.delete(link))
  }
}
