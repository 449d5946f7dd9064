import type Anthropic from '@anthropic-ai/sdk'
import { createPrefixPlanner } from '../../src/llm/planner/create-prefix-planner.ts'
import type { Plan } from '../../src/llm/planner/plan.ts'
import type { NormalizedUsage } from '../../src/llm/usage/normalized-usage.ts'
import type { MessagesRequest, TimedRequest } from './timed-request.ts'

/** A request with the markers that a strategy puts on it. */
export type MarkedRequest = MessagesRequest & {
  readonly cache_control?: Anthropic.Messages.CacheControlEphemeral
}

/** A way to mark requests, for one workload: it may learn from what answers say. */
export interface Marking {
  mark(timed: TimedRequest): MarkedRequest
  learn(usage: NormalizedUsage, at: number): void
}

export interface Strategy {
  readonly name: string
  begin(): Marking
}

/** What is compared, ours last. */
export const strategies: readonly Strategy[] = [
  { name: 'automatic', begin: () => fixed(automatic) },
  { name: 'system + tail', begin: () => fixed(systemAndTail) },
  { name: 'planner', begin: planned },
]

function fixed(mark: (request: MessagesRequest) => MarkedRequest): Marking {
  return { mark: ({ request }) => mark(request), learn: () => {} }
}

/** As `promptCache()` uses it: it is told the route, and has no hint. */
function planned(): Marking {
  const planner = createPrefixPlanner()
  let plan: Plan<MessagesRequest>
  return {
    mark({ request, route, at }) {
      plan = planner.plan({ request, route, now: at })
      return plan.request
    },
    learn(usage, at) {
      planner.observe(plan, usage, { startedAt: at, firstByteAt: at })
    },
  }
}

const MARKER: Anthropic.Messages.CacheControlEphemeral = { type: 'ephemeral' }

/** What the SDK makes easiest: the provider marks the last block by itself. */
export function automatic(request: MessagesRequest): MarkedRequest {
  return { ...request, cache_control: MARKER }
}

/** What gateways do: one marker at the end of the system prompt and one at the end of the request. */
export function systemAndTail(request: MessagesRequest): MarkedRequest {
  const { system, tools, messages } = request
  const marked: MessagesRequest = { ...request, messages: withMarkedTail(messages) }
  if (system !== undefined) return { ...marked, system: withMarkedEnd(system) }
  if (tools) return { ...marked, tools: markLast(tools) }
  return marked
}

function withMarkedTail(
  messages: readonly Anthropic.Messages.MessageParam[],
): Anthropic.Messages.MessageParam[] {
  const tail = messages.at(-1)
  if (!tail || tail.role === 'system') return [...messages]
  return [...messages.slice(0, -1), { ...tail, content: withMarkedEnd(tail.content) }]
}

function withMarkedEnd<B extends object>(
  content: string | readonly B[],
): (B | Anthropic.Messages.TextBlockParam)[] {
  if (typeof content !== 'string') return markLast(content)
  return [{ type: 'text', text: content, cache_control: MARKER }]
}

function markLast<B extends object>(blocks: readonly B[]): B[] {
  return blocks.map((block, index) =>
    index === blocks.length - 1 ? { ...block, cache_control: MARKER } : block,
  )
}
