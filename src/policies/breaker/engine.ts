import { EventEmitter } from 'node:events'
import type CircuitBreaker from 'opossum'
import type { Clock } from '../../contracts/clock.ts'
import type { OutcomeWindow } from './outcome-window.ts'
import { TimeWindow } from './time-window.ts'

const NOTHING: () => Promise<void> = () => Promise.resolve()
const IGNORED: () => void = () => {}
const LONGEST_TIMER_MS = 2 ** 31 - 1

let Opossum: typeof CircuitBreaker | undefined

/** Not by an import statement: who imports `.` and makes no breaker need not load it. */
export async function loadOpossum(): Promise<void> {
  Opossum ??= (await import('opossum')).default
}

/** What opossum counts in, where it counts. */
export interface EngineSettings {
  readonly name: string
  readonly durationMs: number
  readonly buckets: number
}

/**
 * opossum behind a breaker: it counts time windows, and makes each change of state with us, with its own
 * timer and events. What lets a call through is a flag in front of it, by the clock that was injected. It
 * is told of outcomes and decisions and never handed a call, so that what is wrong with its calls is not
 * wrong with ours: no statistics sorted at each failure, no rejections or hits counted as calls, no
 * signal shared by all, no probe that hangs for ever. None of its intervals run.
 *
 * It is there some milliseconds after the first breaker of a process; nothing waits for it.
 */
export class Engine {
  readonly #settings: EngineSettings
  readonly #window: OutcomeWindow
  readonly #clock: Clock
  #opossum: CircuitBreaker | undefined
  #openUntil: number | undefined
  #isRetired = false

  constructor(settings: EngineSettings, window: OutcomeWindow, clock: Clock) {
    this.#settings = settings
    this.#window = window
    this.#clock = clock
    if (Opossum) this.#make(Opossum)
    else void loadOpossum().then(() => this.#make(Opossum as typeof CircuitBreaker), IGNORED)
  }

  /** `undefined` until it is loaded, and when it has retired. */
  get opossum(): CircuitBreaker | undefined {
    return this.#opossum
  }

  open(forMs: number): void {
    this.#openUntil = this.#clock.now() + forMs
    const opossum = this.#opossum
    if (!opossum) return
    // Opened again from half-open before its own timer has noticed: that timer has to start anew.
    if (opossum.opened) opossum.close()
    ;(opossum as unknown as { options: { resetTimeout: number } }).options.resetTimeout = Math.min(
      forMs,
      LONGEST_TIMER_MS,
    )
    opossum.open()
  }

  close(): void {
    this.#openUntil = undefined
    this.#opossum?.close()
  }

  /** The breaker goes on without: nothing of opossum, such as its timer, may outlive who forgot it. */
  retire(): void {
    this.#isRetired = true
    if (this.#window instanceof TimeWindow) this.#window.countAlone()
    this.#opossum?.shutdown()
    this.#opossum = undefined
  }

  #make(Breaker: typeof CircuitBreaker): void {
    if (this.#isRetired) return
    const rotation = new EventEmitter()
    this.#opossum = new Breaker(NOTHING, {
      name: this.#settings.name,
      timeout: false,
      rollingCountTimeout: this.#settings.durationMs,
      rollingCountBuckets: this.#settings.buckets,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotation,
    })
    if (this.#window instanceof TimeWindow) this.#window.countWith(this.#opossum, rotation)
    if (this.#openUntil !== undefined) this.open(this.#openUntil - this.#clock.now())
  }
}
