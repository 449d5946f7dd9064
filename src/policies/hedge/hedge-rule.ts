import type { Clock } from '../../contracts/clock.ts'
import { type Duration, shown, toMs } from '../../kernel/duration.ts'
import { checkNumber, invalidOption } from '../../kernel/options.ts'
import { Budget } from '../retry/budget.ts'
import { LatencyQuantile } from './latency-quantile.ts'

/** When a second copy of a task is started beside a slow one. */
export interface HedgeRules {
  /**
   * So long after the first: a duration, or what that share of the tasks takes, as observed: `'p95'`.
   * Before 20 were observed there is no second copy.
   */
  after: Duration | `p${number}`
  /** How many calls may get a second copy, as a share of all calls; `false` for no bound. @default 0.05 */
  budget?: number | false
  /** Says that a task may run twice without harm. Required here or in the guard. */
  idempotent?: boolean
}

export const OF_HEDGE = ['after', 'budget', 'idempotent'] as const

const QUANTILE = /^p(\d{1,2}(?:\.\d+)?)$/

/** Decides when a second copy is started. Guards may share one, with what it has observed. */
export class HedgeRule {
  readonly budget: Budget | undefined
  /** Milliseconds, where it is not observed. */
  readonly fixedMs: number | undefined
  readonly #observed: LatencyQuantile | undefined

  constructor({ after, budget = 0.05 }: HedgeRules, clock: Clock, where: string) {
    if (budget !== false) checkNumber(budget, `${where}.budget`, 0, 1)
    const quantile = quantileOf(after, `${where}.after`)
    this.#observed = quantile === undefined ? undefined : new LatencyQuantile(quantile)
    this.fixedMs = quantile === undefined ? toMs(after, `${where}.after`) : undefined
    this.budget = budget === false ? undefined : new Budget(budget, clock)
  }

  /** Milliseconds after which a second copy starts; `undefined`: not known yet. */
  get delayMs(): number | undefined {
    return this.fixedMs ?? this.#observed?.estimate
  }

  /**
   * What a first copy took, or had taken when the second one won. Without the latter the slow ones
   * would be missing, and the estimate would sink with each that was overtaken.
   */
  observe(ms: number): void {
    this.#observed?.record(ms)
  }
}

function quantileOf(after: unknown, option: string): number | undefined {
  if (after === undefined) {
    throw invalidOption(`${option} is missing: a duration, or a quantile such as 'p95'`)
  }
  if (typeof after !== 'string' || !after.startsWith('p')) return undefined
  const percent = Number(QUANTILE.exec(after)?.[1] ?? Number.NaN)
  if (percent >= 50 && percent <= 99.9) return percent / 100
  throw invalidOption(`${option} must be from 'p50' to 'p99.9', or a duration; got ${shown(after)}`)
}
