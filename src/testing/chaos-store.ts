import type { Store } from '../contracts/store.ts'
import { checkNumber, checkOptionNames } from '../kernel/options.ts'
import { seededRandom } from '../kernel/seeded-random.ts'
import {
  type ChaosFault,
  type ChaosRates,
  type ChaosSettings,
  chooseFaults,
  FAULTS,
  NO_FAULTS,
} from './chaos-faults.ts'
import { ChaosSession, type ChaosState } from './chaos-session.ts'

export type { ChaosFault, ChaosRates, ChaosSettings } from './chaos-faults.ts'

export interface ChaosOptions extends ChaosSettings {
  /** The same seed and the same operations give the same faults. Print it in your tests. @default 1 */
  seed?: number
}

export interface ChaosStore extends Store {
  /** The present rates. Change them with {@link ChaosStore.set}. */
  readonly rates: ChaosRates
  /** How many operations there were, and how many of them got which fault. */
  readonly counts: { readonly operations: number } & { readonly [fault in ChaosFault]: number }
  /**
   * Changes rates or delay for the operations that start from now on; what is not named stays.
   * `set({ throws: 1 })` starts an outage, `set({ throws: 0 })` ends it.
   * @throws ERR_INVALID_OPTION for an unknown name or a rate outside 0 to 1.
   */
  set(settings: ChaosSettings): void
}

/**
 * A store that fails as often as you say, in the way a real one does, and the same way for the same
 * seed.
 *
 * ```ts
 * const chaos = chaosStore(memory(), { seed: 7, throws: 0.1, late: 0.05 })
 * const cache = createCache({ name: 'test', l2: chaos })
 * ```
 *
 * Each operation of its sessions, `close` apart, draws once. Where the rates add up to more than 1,
 * `throws` goes before `hangs`, `hangs` before `late`, `late` before `corrupts`. States and bus messages
 * pass through unharmed.
 *
 * @throws ERR_INVALID_OPTION for an unknown name or a rate outside 0 to 1.
 */
export function chaosStore(store: Store, options: ChaosOptions = {}): ChaosStore {
  checkOptionNames(options as unknown, ['seed', ...FAULTS, 'delay'], 'chaosStore()')
  const { seed = 1, ...settings } = options
  checkNumber(seed, 'seed of chaosStore()', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  const state: ChaosState = {
    faults: chooseFaults(NO_FAULTS, settings, 'chaosStore()'),
    random: seededRandom(seed),
    lateMs: 3 * store.timeoutMs,
    counts: { operations: 0, throws: 0, hangs: 0, late: 0, corrupts: 0 },
  }
  return {
    get source() {
      return store.source
    },
    get coherence() {
      return store.coherence
    },
    get supports() {
      return store.supports
    },
    get timeoutMs() {
      return store.timeoutMs
    },
    get rates() {
      return state.faults.rates
    },
    counts: state.counts,
    set(changes) {
      checkOptionNames(changes, [...FAULTS, 'delay'], 'chaos.set()')
      state.faults = chooseFaults(state.faults, changes, 'chaos.set()')
    },
    open: (context) => new ChaosSession(store.open(context), context.clock, state),
  }
}
