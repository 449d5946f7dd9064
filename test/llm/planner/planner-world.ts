import { AccountingOracle, type OracleBill } from '../../../bench/llm/oracle.ts'
import type { ModelProfile } from '../../../src/llm/models/model-profile.ts'
import { findProfile } from '../../../src/llm/models/profiles.ts'
import { createPrefixPlanner } from '../../../src/llm/planner/create-prefix-planner.ts'
import type {
  AnthropicLike,
  Plan,
  PlanInput,
  PrefixPlannerOptions,
} from '../../../src/llm/planner/plan.ts'
import type { NormalizedUsage } from '../../../src/llm/usage/normalized-usage.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

export const MODEL = 'claude-sonnet-5'

/** A text of so many tokens that begins with its name. */
export function text(name: string, tokens: number): string {
  return `${name} `.padEnd(tokens * 4, `${name.at(-1)} `)
}

export function user(...content: unknown[]): unknown {
  return { role: 'user', content: content.length === 1 ? content[0] : content }
}

export function request<P extends Partial<AnthropicLike> & Record<string, unknown>>(parts: P) {
  return { model: MODEL, max_tokens: 100, messages: [user('Hello')], ...parts }
}

/** A planner, and the provider as the accounting has it. */
export function world(options: PrefixPlannerOptions = {}, model = MODEL) {
  const profile: ModelProfile = findProfile('anthropic', model, options.profiles)
  const clock = new FakeClock(1_000_000)
  const planner = createPrefixPlanner({ clock, ...options })
  const oracle = new AccountingOracle(profile)
  const call = <R extends AnthropicLike>(
    asked: R,
    more: Omit<PlanInput<R>, 'request'> = {},
  ): { plan: Plan<R>; bill: OracleBill } => {
    const plan = planner.plan({ request: asked, ...more })
    const bill = oracle.call(plan.request as never, clock.now())
    planner.observe(plan, usageOf(bill), { startedAt: clock.now() })
    return { plan, bill }
  }
  return { clock, planner, oracle, profile, call }
}

export function usageOf(bill: OracleBill): NormalizedUsage {
  const { read, write5m, write1h, input } = bill
  return {
    provider: 'anthropic',
    model: MODEL,
    inputTotal: read + write5m + write1h + input,
    inputUncached: input,
    cacheRead: read,
    cacheWrite: { '5m': write5m, '1h': write1h },
    output: 10,
    raw: undefined,
  }
}

/** Paths and lifetimes of the markers of a plan. */
export function marks(plan: Plan<unknown>): string[] {
  return plan.breakpoints.map(({ path, ttl }) => `${path} ${ttl}`)
}
