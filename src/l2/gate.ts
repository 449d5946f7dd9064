import type { BreakerEngine } from '../contracts/breaker-engine.ts'
import type { Clock } from '../contracts/clock.ts'

const FIRST_PROBE_MS = 50
/** A store that stopped answering says nothing when it is back: it is found within this time. */
const LAST_PROBE_MS = 1000

export type GateState = 'closed' | 'open' | 'half-open'

interface GateOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Says when to open. */
  readonly engine: BreakerEngine
  /** Resolves when the store serves again. Never a user's call: nobody waits for it. */
  readonly probe: () => Promise<void>
  readonly onChange: (state: GateState, error: unknown) => void
}

/**
 * The breaker of one kind of L2 operations: a flag, and an engine behind it. While it is open an
 * operation costs one boolean, and the engine hears of nothing. Whether the store is back is found
 * out by probes in the background, at intervals that grow from 50 ms to 1 s with jitter, or as soon
 * as the store says so, and no caller ever pays a deadline to find out.
 */
export class Gate {
  state: GateState = 'closed'
  #intervals = 0
  #timer: unknown
  /** Number of the probe that was begun last: what an earlier one fails at is no news. */
  #probe = 0
  #stopped = false
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  get open(): boolean {
    return this.state !== 'closed'
  }

  succeeded(): void {
    if (!this.open) this.#options.engine.succeeded()
  }

  failed(error: unknown): void {
    if (this.open || this.#stopped) return
    const { engine } = this.#options
    engine.failed(error)
    if (!engine.isOpen) return
    this.#change('open', error)
    this.#scheduleProbe()
  }

  /** The store says that it is there: nobody should wait for the next interval to use it. */
  probeNow(): void {
    if (!this.open || this.#stopped) return
    this.#options.clock.clearTimeout(this.#timer)
    this.#intervals = 0
    void this.#try()
  }

  /** No more probes: the cache is closing. */
  stop(): void {
    this.#stopped = true
    this.#options.clock.clearTimeout(this.#timer)
    this.#options.engine.shutdown()
  }

  #change(state: GateState, error?: unknown): void {
    this.state = state
    this.#options.onChange(state, error)
  }

  #scheduleProbe(): void {
    const { clock, random } = this.#options
    const longest = Math.min(LAST_PROBE_MS, FIRST_PROBE_MS * 2 ** Math.min(this.#intervals++, 10))
    // At least half of the interval: full jitter from 0 would let an unlucky series spin.
    const ms = longest * (0.5 + 0.5 * random())
    this.#timer = clock.setTimeout(() => void this.#try(), ms, { unref: true })
  }

  async #try(): Promise<void> {
    const number = ++this.#probe
    this.state = 'half-open'
    try {
      await this.#options.probe()
      if (this.#stopped || !this.open) return
      this.#options.clock.clearTimeout(this.#timer)
      this.#intervals = 0
      this.#options.engine.close()
      this.#change('closed')
    } catch {
      if (this.#stopped || !this.open || number !== this.#probe) return
      this.state = 'open'
      this.#scheduleProbe()
    }
  }
}
