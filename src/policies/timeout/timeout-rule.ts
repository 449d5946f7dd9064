import { type Duration, kindOf, toMs } from '../../kernel/duration.ts'
import { checkChoice, checkOptionNames, invalidOption } from '../../kernel/options.ts'

/** When the wait for one attempt ends. */
export interface TimeoutRules {
  /** Counted from when the task begins, not from when it queues. */
  after: Duration
  /**
   * `'hard'`: the wait ends whatever the task does. `'cooperative'`: the task is told by its signal,
   * and waited for: for one that has to clean up before its place is given to another.
   * @default 'hard'
   */
  mode?: 'hard' | 'cooperative'
}

export const OF_TIMEOUT = ['after', 'mode'] as const

/** A limit of one attempt. */
export class TimeoutRule {
  readonly ms: number
  readonly isHard: boolean

  /** @param where the option stands, for messages */
  constructor(given: Duration | TimeoutRules, where: string) {
    const rules: unknown = isDurationLike(given) ? { after: given } : given
    checkOptionNames(rules, OF_TIMEOUT, where)
    const { after, mode = 'hard' } = rules
    checkChoice(mode, ['hard', 'cooperative'], `${where}.mode`)
    this.ms = toMs(after, isDurationLike(given) ? where : `${where}.after`)
    if (this.ms === 0) {
      throw invalidOption(`${where} must be longer than 0, or no task could ever end in time`)
    }
    this.isHard = mode === 'hard'
  }
}

function isDurationLike(value: unknown): value is Duration {
  if (typeof value === 'number' || typeof value === 'string') return true
  if (typeof value === 'object' && value !== null) return false
  throw invalidOption(`a time-out must be a duration or { after, mode }, got ${kindOf(value)}`)
}
