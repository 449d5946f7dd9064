import type { Clock } from '../contracts/clock.ts'

const FAILURES_TO_OPEN = 5
const FIRST_PROBE_MS = 50
const LAST_PROBE_MS = 2000

export type GateState = 'closed' | 'open' | 'half-open'

interface GateOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Resolves when the store serves again. Never a user's call: nobody waits for it. */
  readonly probe: () => Promise<void>
  readonly onChange: (state: GateState, error: unknown) => void
}

/**
 * The breaker of one kind of L2 operations. It opens after five failures in a row; while it is open
 * an operation costs one boolean. Whether the store is back is found out by probes in the
 * background, at intervals that grow from 50 ms to 2 s with full jitter, so that no caller ever pays
 * a deadline to find out.
 */
export class Gate {
  state: GateState = 'closed'
  #failures = 0
  #probes = 0
  #timer: unknown
  #stopped = false
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  get open(): boolean {
    return this.state !== 'closed'
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(error: unknown): void {
    this.#failures++
    if (this.state === 'closed' && this.#failures >= FAILURES_TO_OPEN) this.#change('open', error)
  }

  /** No more probes: the cache is closing. */
  stop(): void {
    this.#stopped = true
    this.#options.clock.clearTimeout(this.#timer)
  }

  #change(state: GateState, error?: unknown): void {
    this.state = state
    this.#options.onChange(state, error)
    if (state === 'open') this.#scheduleProbe()
  }

  #scheduleProbe(): void {
    if (this.#stopped) return
    const longest = Math.min(LAST_PROBE_MS, FIRST_PROBE_MS * 2 ** Math.min(this.#probes++, 10))
    // At least half of the interval: full jitter from 0 would let an unlucky series spin.
    const ms = longest * (0.5 + 0.5 * this.#options.random())
    this.#timer = this.#options.clock.setTimeout(() => void this.#probe(), ms, { unref: true })
  }

  async #probe(): Promise<void> {
    this.state = 'half-open'
    try {
      await this.#options.probe()
      if (this.#stopped) return
      this.#failures = 0
      this.#probes = 0
      this.#change('closed')
    } catch {
      if (this.#stopped) return
      this.state = 'open'
      this.#scheduleProbe()
    }
  }
}
