import { digestKey } from './digest.ts'

type Tool = Record<string, unknown>
type Arrange = (tools: readonly unknown[]) => readonly unknown[]

/** Sets of tools that are pinned; the one that was pinned first goes first. */
const MOST_PINNED = 200

/** How the tools of a request are sent; `undefined`: as they are. */
export function createToolArrangement(mode: 'preserve' | 'sort' | 'pin'): Arrange | undefined {
  if (mode === 'preserve') return undefined
  const arrange = mode === 'sort' ? sortByName : createPin()
  // A marker covers the tools before it: they cannot change places with those behind it.
  return (tools) => (tools.some(isMarked) ? tools : arrange(tools))
}

function isMarked(tool: unknown): boolean {
  return Boolean((tool as Tool | null)?.cache_control)
}

function sortByName(tools: readonly unknown[]): readonly unknown[] {
  if (!tools.every((tool) => nameOf(tool) !== undefined)) return tools
  const sorted = tools.toSorted((a, b) => compare(nameOf(a) as string, nameOf(b) as string))
  return sorted.every((tool, at) => tool === tools[at]) ? tools : sorted
}

/** By code units, which is the same everywhere. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** The same tools, in any order and with their members in any order, are sent as they were first seen. */
function createPin(): Arrange {
  const first = new Map<string, readonly unknown[]>()
  return (tools) => {
    const id = digestKey(tools.map(canonical).toSorted(compare).join('\n'))
    const pinned = first.get(id)
    if (pinned) return pinned
    const copy = copyOf(tools)
    if (!copy) return tools
    if (first.size >= MOST_PINNED) first.delete(first.keys().next().value as string)
    first.set(id, copy)
    return tools
  }
}

/** What the caller does to his tools later must not change what was pinned. */
function copyOf(tools: readonly unknown[]): readonly unknown[] | undefined {
  try {
    return structuredClone(tools)
  } catch {
    // Tools that bring the function that runs them cannot be copied: they are sent as they come.
    return undefined
  }
}

/** JSON of a tool with the members of all objects sorted: equal for what means the same. */
export function canonical(tool: unknown): string {
  // Its own marker only: a schema may have a member of that name.
  const isObject = typeof tool === 'object' && tool !== null
  const value = isObject ? { ...tool, cache_control: undefined } : tool
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => compare(a, b)))
  })
}

/** Of a tool of Anthropic, of the Responses API, or of Chat Completions. */
function nameOf(tool: unknown): string | undefined {
  const { name, function: inner } = (tool ?? {}) as Tool
  const own = name ?? (inner as Tool | undefined)?.name
  return typeof own === 'string' ? own : undefined
}
