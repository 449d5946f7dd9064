import type { Block } from './block.ts'

interface Marks {
  readonly block: Block
  readonly ttl: '5m' | '1h'
}

type Raw = Record<string, unknown>

/**
 * A copy of the request with markers on the given blocks. Only what leads to a marker is copied; the
 * rest is shared with the request given, which stays as it is.
 */
export function markAnthropic<R>(request: R, marks: readonly Marks[]): R {
  if (marks.length === 0) return request
  const copy: Raw = { ...(request as Raw) }
  for (const { block, ttl } of marks) {
    const marker = ttl === '1h' ? { type: 'ephemeral', ttl } : { type: 'ephemeral' }
    if (block.tier === 'tools') {
      copy.tools = withItem(copy.tools, block.item, (tool) => ({ ...tool, cache_control: marker }))
    } else if (block.tier === 'system') {
      copy.system = withMark(copy.system, block.part, marker)
    } else {
      copy.messages = withItem(copy.messages, block.item, (message) => ({
        ...message,
        content: withMark(message.content, block.part, marker),
      }))
    }
  }
  return copy as R
}

/** Plain text becomes a block of text, which is the same for the provider and can be marked. */
function withMark(content: unknown, part: number, marker: object): unknown {
  if (part < 0) return [{ type: 'text', text: content, cache_control: marker }]
  return withItem(content, part, (block) => ({ ...block, cache_control: marker }))
}

function withItem(list: unknown, at: number, change: (item: Raw) => Raw): unknown[] {
  const copy = [...(list as Raw[])]
  copy[at] = change(copy[at] as Raw)
  return copy
}
