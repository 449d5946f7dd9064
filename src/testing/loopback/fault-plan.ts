import { type Duration, toMs } from '../../kernel/duration.ts'
import { checkChoice, checkCount, checkNumber, checkOptionNames } from '../../kernel/options.ts'

/** What a loopback provider can do wrong, in the order in which it is drawn. */
export const FAULT_MODES = [
  'overloaded',
  'rate-limited',
  'slow',
  'hang',
  'cut-stream',
  'error-in-stream',
] as const

/**
 * `overloaded` and `rate-limited` answer with the provider's errors; `slow` answers late; `hang` never;
 * `cut-stream` breaks the connection in the middle of the answer; `error-in-stream` ends a stream with an
 * error event (an answer that is no stream is an internal error instead).
 */
export type FaultMode = (typeof FAULT_MODES)[number]

/** How often a loopback provider fails by itself, and how. */
export interface FaultOptions extends Partial<Record<FaultMode, number>> {
  /** How much later `slow` answers. @default '5s' */
  slowBy?: Duration
  /** What `rate-limited` asks the client to wait; whole seconds are sent. @default '1s' */
  retryAfter?: Duration
}

/** Which call fails, and how. */
export interface FaultPlan {
  readonly slowByMs: number
  readonly retryAfterMs: number
  /** From now on, or for the next `times` calls; `'none'` ends it. Goes before the rates. */
  fail(mode: FaultMode | 'none', options?: { times?: number }): void
  next(): FaultMode | undefined
}

/**
 * @param where how the provider is called
 * @throws ERR_INVALID_OPTION for an unknown name or a rate outside 0 to 1
 */
export function faultPlan(options: FaultOptions, random: () => number, where: string): FaultPlan {
  const name = `faults of ${where}`
  checkOptionNames(options as unknown, [...FAULT_MODES, 'slowBy', 'retryAfter'], name)
  for (const mode of FAULT_MODES) checkNumber(options[mode], `${mode} in ${name}`, 0, 1)
  const { slowBy = '5s', retryAfter = '1s' } = options
  const hasRates = FAULT_MODES.some((mode) => (options[mode] ?? 0) > 0)
  let forced: FaultMode | 'none' = 'none'
  let left = 0
  return {
    slowByMs: toMs(slowBy, `slowBy in ${name}`),
    retryAfterMs: toMs(retryAfter, `retryAfter in ${name}`),
    fail(mode, asked = {}) {
      checkOptionNames(asked as unknown, ['times'], `fail() of ${where}`)
      const { times = Infinity } = asked
      checkChoice(mode, [...FAULT_MODES, 'none'], `mode of fail() of ${where}`)
      checkCount(times, `times of fail() of ${where}`)
      forced = mode
      left = times
    },
    next() {
      if (forced !== 'none' && left > 0) {
        left--
        return forced
      }
      return hasRates ? drawn(random(), options) : undefined
    },
  }
}

/** The rates lie side by side on [0, 1); what is left over is no fault. */
function drawn(draw: number, rates: FaultOptions): FaultMode | undefined {
  let end = 0
  for (const mode of FAULT_MODES) {
    end += rates[mode] ?? 0
    if (draw < end) return mode
  }
  return undefined
}
