import type { Clock } from '../../contracts/clock.ts'
import type { Fallback } from '../../contracts/load-guard.ts'
import type { BreakerGate, PermitSource } from '../../contracts/permit.ts'
import { Events } from '../../kernel/events.ts'
import { realClock } from '../../kernel/real-clock.ts'
import type { HedgeRule } from '../hedge/hedge-rule.ts'
import type { RetryRule } from '../retry/retry-rule.ts'
import type { TimeoutRule } from '../timeout/timeout-rule.ts'
import { type GuardEvents, type GuardStats, newStats } from './guard-events.ts'

/** What calls go through, decided once. A stage that is not configured is `undefined`. */
export interface Plan {
  /** Label in metrics and events. */
  readonly name: string
  /** As messages begin: `guard 'claude'`. */
  readonly label: string
  readonly clock: Clock
  readonly events: Events<GuardEvents>
  readonly counts: GuardStats
  readonly fallback: Fallback | undefined
  /** Of the whole call; `Infinity`: none. */
  readonly deadlineMs: number
  /** Whether the deadline of a call ends it here; else whoever passed it on does that. */
  readonly keepsDeadline: boolean
  readonly retry: RetryRule | undefined
  readonly hedge: HedgeRule | undefined
  readonly breaker: BreakerGate | undefined
  readonly limit: PermitSource | undefined
  readonly bulkhead: PermitSource | undefined
  readonly timeout: TimeoutRule | undefined
}

export type Stages = Partial<Omit<Plan, 'name' | 'label' | 'clock'>>

/** @param kind what it is, for messages: `guard`, `retry()` */
export function planOf(
  kind: string,
  name: string | undefined,
  clock: Clock | undefined,
  stages: Stages,
): Plan {
  return {
    name: name ?? kind,
    label: name === undefined ? kind : `${kind} '${name}'`,
    clock: clock ?? realClock,
    events: stages.events ?? new Events(),
    counts: stages.counts ?? newStats(),
    fallback: stages.fallback,
    deadlineMs: stages.deadlineMs ?? Number.POSITIVE_INFINITY,
    keepsDeadline: stages.keepsDeadline ?? true,
    retry: stages.retry,
    hedge: stages.hedge,
    breaker: stages.breaker,
    limit: stages.limit,
    bulkhead: stages.bulkhead,
    timeout: stages.timeout,
  }
}
