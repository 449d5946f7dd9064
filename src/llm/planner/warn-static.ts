import type { Prompt } from './block.ts'
import type { PrefixWarning } from './plan.ts'
import type { LatestRequest } from './route-memory.ts'
import { canonical } from './tool-set.ts'
import { suspectKind, volatileKind } from './volatile-text.ts'

type Raw = Record<string, unknown>

/** What of a request its successor on the route is compared with. */
export function latestOf(request: unknown, { blocks }: Prompt): LatestRequest {
  const { tools, system, instructions } = request as Raw
  return {
    tools: blocks.flatMap(({ tier, content }) => (tier === 'tools' ? [content] : [])),
    rawTools: tools,
    system: textsOf(system ?? instructions),
  }
}

function textsOf(system: unknown): string[] {
  if (typeof system === 'string') return [system]
  if (!Array.isArray(system)) return []
  return system.map((block: Raw | null) => (typeof block?.text === 'string' ? block.text : ''))
}

/** What differs from the latest request of the route in what should be the same. */
export function staticWarnings(
  before: LatestRequest | undefined,
  now: LatestRequest,
  request: unknown,
): PrefixWarning[] {
  const tools = before ? toolWarning(before, now) : undefined
  return [...(tools ? [tools] : []), ...volatileWarnings(before, now, pathOf(request))]
}

function pathOf(request: unknown): (at: number) => string {
  const { system, instructions } = request as Raw
  if (system === undefined && instructions !== undefined) return () => '/instructions'
  return typeof system === 'string' ? () => '/system' : (at) => `/system/${at}`
}

function toolWarning(before: LatestRequest, now: LatestRequest): PrefixWarning | undefined {
  if (before.tools.length === 0 || now.tools.length === 0) return undefined
  if (isSame(before.tools, now.tools)) return undefined
  if (isSame(before.tools.toSorted(), now.tools.toSorted())) {
    return {
      code: 'TOOL_ORDER_CHURN',
      path: '/tools',
      fix: "The same tools came in another order, which loses the whole prefix: send them in one order, or set tools: 'pin'.",
    }
  }
  if (isSame(canonicals(before.rawTools), canonicals(now.rawTools))) {
    return {
      code: 'KEY_ORDER_CHURN',
      path: '/tools',
      fix: "The same tools came with their members in another order, which loses the whole prefix: build them once, or set tools: 'pin'.",
    }
  }
  return {
    code: 'TOOLS_CHANGED',
    path: '/tools',
    fix: 'Other tools than before lose the whole prefix: send all tools of the route each time, and say in the text which to use.',
  }
}

function canonicals(tools: unknown): string[] {
  return Array.isArray(tools) ? tools.map((tool) => canonical(tool)).toSorted() : []
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, at) => one === others[at])
}

const VOLATILE_FIX =
  'It is different in each request and loses all that follows: move it to the end of the last message, or leave it out.'

function volatileWarnings(
  before: LatestRequest | undefined,
  { system }: LatestRequest,
  path: (at: number) => string,
): PrefixWarning[] {
  return system.flatMap((text, at): PrefixWarning[] => {
    const earlier = before?.system[at]
    if (earlier === text || (before && earlier === undefined)) return []
    const sample = earlier === undefined ? suspectKind(text) : volatileKind(earlier, text)
    if (sample === undefined) return []
    return [{ code: 'VOLATILE_TEXT', path: path(at), sample, fix: VOLATILE_FIX }]
  })
}
