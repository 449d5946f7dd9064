import type { Timer } from '../../../contracts/clock.ts'
import type { TransportWorld } from '../transport.ts'

interface HealthWatcher {
  /** Resolves when the node answers. */
  probe(): Promise<void>
  onChange(): void
}

const FAILURES_UNTIL_DEAD = 5
const PROBE_MS = 50
const LONGEST_PROBE_MS = 1000

/** Whether a node answers: one that does not is left alone until a probe says that it does. */
export class NodeHealth {
  isDead = false
  readonly #world: TransportWorld
  readonly #watcher: HealthWatcher
  #failures = 0
  #probe: Timer | undefined

  constructor(world: TransportWorld, watcher: HealthWatcher) {
    this.#world = world
    this.#watcher = watcher
  }

  /** Something is sent: it has failed when it fails, or when there is no reply in time. */
  watch(): (isAnswered: boolean) => void {
    const { clock, timeoutMs } = this.#world
    let isSettled = false
    let isLate = false
    const look = () => {
      if (isSettled) return
      isLate = true
      this.#fail()
    }
    // What has arrived while this process was busy is handled before anything is called late.
    const timer = clock.setTimeout(() => clock.immediate(look), timeoutMs, { unref: true })
    return (isAnswered) => {
      isSettled = true
      clock.clearTimeout(timer)
      if (isLate) return
      if (isAnswered) this.#failures = 0
      else this.#fail()
    }
  }

  /** There is a new connection, and it answers. */
  reset(): void {
    this.#failures = 0
    this.#world.clock.clearTimeout(this.#probe)
    this.isDead = false
  }

  close(): void {
    this.#world.clock.clearTimeout(this.#probe)
    this.isDead = true
  }

  #fail(): void {
    this.#failures++
    if (this.#failures < FAILURES_UNTIL_DEAD || this.isDead) return
    this.isDead = true
    this.#watcher.onChange()
    this.#probeAfter(PROBE_MS)
  }

  #probeAfter(ms: number): void {
    const { clock } = this.#world
    const again = () => {
      if (this.isDead) this.#probeAfter(Math.min(LONGEST_PROBE_MS, ms * 2))
    }
    const alive = () => {
      if (!this.isDead) return
      this.reset()
      this.#watcher.onChange()
    }
    clock.clearTimeout(this.#probe)
    this.#probe = clock.setTimeout(() => this.#watcher.probe().then(alive, again), ms, {
      unref: true,
    })
  }
}
