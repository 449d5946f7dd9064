import type { Tenant } from '../key/llm-key-options.ts'
import { promptCacheKey } from '../key/prompt-cache-key.ts'
import type { AnthropicLike, Plan, PrefixPlanner } from '../planner/plan.ts'

/** Whose requests the planner can read; those of others are sent as they are. */
export const PLANNED_PROVIDERS: ReadonlySet<string> = new Set(['anthropic', 'openai'])

/** What a request is planned with. */
export interface Planning {
  readonly provider: string
  readonly planner: PrefixPlanner
  readonly tenant: Tenant
  readonly route: string | undefined
  readonly now: number
}

/**
 * The plan of a request, with all that is set for the provider's cache in it; `undefined` for what is no
 * request of a conversation.
 */
export function planRequest(request: unknown, planning: Planning): Plan<unknown> | undefined {
  if (!isConversation(request)) return undefined
  const { provider, planner, tenant, route, now } = planning
  const plan = planner.plan({
    request,
    provider,
    now,
    ...(route === undefined ? {} : { route }),
    // Shared prefixes are what the planner takes for granted without one.
    ...(typeof tenant === 'string' ? { tenant } : {}),
  })
  return provider === 'openai' ? withCacheKey(plan, tenant, route ?? request.model) : plan
}

function isConversation(request: unknown): request is AnthropicLike {
  if (typeof request !== 'object' || request === null) return false
  const { model, messages, input } = request as Record<string, unknown>
  return typeof model === 'string' && (Array.isArray(messages) || input !== undefined)
}

/** Leads requests with the same prefix to the machines that have it. */
function withCacheKey(plan: Plan<AnthropicLike>, tenant: Tenant, route: string): Plan<unknown> {
  const { prompt_cache_key: given } = plan.request as { prompt_cache_key?: unknown }
  const isGiven = given !== undefined && given !== null
  if (isGiven || plan.prefixId === '') return plan
  const key = promptCacheKey({ tenant, route, prefixId: plan.prefixId })
  return { ...plan, request: { ...plan.request, prompt_cache_key: key } }
}
