import type { RunOptions } from '../../contracts/runner.ts'
import { under } from '../compose/compose.ts'
import { type AsRunner, type Gates, isBreakerGate, isPermitSource } from './gates.ts'
import type { GuardStats } from './guard-events.ts'
import { type Plan, planOf, type Stages } from './plan.ts'
import { type RunWork, throughPlan } from './run-plan.ts'

/** How calls run, and what is counted on the way. */
export interface Compiled {
  /** The outermost plan: names, fallback, events and counts are its. */
  readonly plan: Plan
  readonly run: RunWork
  stats(): GuardStats
}

const ORDER = ['breaker', 'limit', 'bulkhead'] as const

/**
 * One plan for all stages, which is what makes a call cheap. Only where a stage has no manual form, such
 * as a `pLimit(5)`, there are two, one around it and one within.
 */
export function compile(outer: Plan, gates: Gates): Compiled {
  const at = ORDER.findIndex((name) => isOnlyRunner(gates[name], name))
  if (at < 0) {
    const plan: Plan = { ...outer, ...manual(gates) }
    return { plan, run: throughPlan(plan), stats: () => ({ ...plan.counts }) }
  }
  const name = ORDER[at] as (typeof ORDER)[number]
  const before = Object.fromEntries(ORDER.slice(0, at).map((gate) => [gate, gates[gate]]))
  const after = Object.fromEntries(ORDER.slice(at + 1).map((gate) => [gate, gates[gate]]))
  // The deadline is handed on with each call, so that the inner stages see it too; it ends here.
  const plan: Plan = {
    ...outer,
    ...manual({ ...NO_GATES, ...before }),
    timeout: undefined,
    deadlineMs: Number.POSITIVE_INFINITY,
  }
  const inner = compile(within(outer), { ...NO_GATES, ...after })
  return {
    plan,
    run: around(outer, throughPlan(plan), gates[name] as AsRunner, inner.run),
    stats: () => withInner(plan.counts, inner.stats()),
  }
}

const NO_GATES: Gates = { breaker: undefined, limit: undefined, bulkhead: undefined }

function isOnlyRunner(gate: unknown, name: (typeof ORDER)[number]): boolean {
  if (gate === undefined) return false
  return name === 'breaker' ? !isBreakerGate(gate) : !isPermitSource(gate)
}

function manual(gates: Gates): Pick<Plan, 'breaker' | 'limit' | 'bulkhead'> {
  return gates as Pick<Plan, 'breaker' | 'limit' | 'bulkhead'>
}

/** What is left for the inside: the time of an attempt, and the gates after. */
function within(outer: Plan): Plan {
  const stages: Stages = { timeout: outer.timeout, keepsDeadline: false }
  const plan = planOf('', '', outer.clock, stages)
  const { name, label } = outer
  for (const event of ['timeout', 'reject'] as const) {
    plan.events.on(event, (told) => outer.events.emit(event, told as never))
  }
  return { ...plan, name, label }
}

function around(outer: Plan, run: RunWork, runner: AsRunner, inner: RunWork): RunWork {
  return (work, options) => {
    const given = withDeadline(outer, options)
    const task = (signal: AbortSignal): PromiseLike<unknown> => {
      const seen = { ...given, signal }
      return under(
        runner,
        (own) => inner({ ...work, usesFallback: false }, { ...seen, signal: own }),
        seen,
      )
    }
    return run({ ...work, task, takesSignal: true }, given)
  }
}

function withDeadline(
  { deadlineMs, clock }: Plan,
  options: RunOptions | undefined,
): RunOptions | undefined {
  if (deadlineMs === Number.POSITIVE_INFINITY) return options
  const own = clock.now() + deadlineMs
  return { ...options, deadline: Math.min(own, options?.deadline ?? own) }
}

function withInner(outer: GuardStats, inner: GuardStats): GuardStats {
  return {
    ...outer,
    timeouts: outer.timeouts + inner.timeouts,
    rejected: outer.rejected + inner.rejected,
  }
}
