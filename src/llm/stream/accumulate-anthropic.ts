import { plainCopy } from './plain-copy.ts'
import type { StreamTail } from './stream-tail.ts'

type Members = Record<string, unknown>

interface Block {
  readonly content: Members
  /** The input of a tool comes as text, in pieces. */
  json: string
}

/** Adds the events of a stream of the Messages API up to the message that it carries. */
export function accumulateAnthropic(): StreamTail {
  let message: Members | undefined
  const blocks: Block[] = []
  let stopped = false
  let failed = false

  return {
    add(item) {
      const event = (item ?? {}) as Members
      if (event.type === 'message_start') message = plainCopy(event.message) as Members
      else if (event.type === 'error') failed = true
      else if (event.type === 'message_stop') stopped = true
      else if (event.type === 'message_delta') addToMessage(message ?? {}, event)
      else addToBlocks(blocks, event)
    },
    get complete() {
      return stopped && !failed
    },
    get finished() {
      return stopped
    },
    final() {
      return message && { ...message, content: blocks.map(finished) }
    },
  }
}

/** Its counters are totals so far: those that are there replace those before, none is added. */
function addToMessage(message: Members, { delta, usage }: Members): void {
  for (const [name, value] of Object.entries(plainCopy(delta ?? {}))) {
    if (name !== 'container' || value !== null) message[name] = value
  }
  const counted = Object.entries(plainCopy(usage ?? {})).filter(([, count]) => count !== null)
  message.usage = { ...(message.usage as Members | undefined), ...Object.fromEntries(counted) }
}

function addToBlocks(blocks: Block[], event: Members): void {
  const index = event.index as number
  if (event.type === 'content_block_start') {
    blocks[index] = { content: plainCopy(event.content_block) as Members, json: '' }
    return
  }
  const block = blocks[index]
  if (event.type === 'content_block_delta' && block) addDelta(block, event.delta as Members)
}

const TEXTS: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
}

function addDelta(block: Block, delta: Members): void {
  const { content } = block
  const name = TEXTS[delta.type as string]
  if (name !== undefined) content[name] = `${content[name] ?? ''}${delta[name]}`
  else if (delta.type === 'signature_delta') content.signature = delta.signature
  else if (delta.type === 'input_json_delta') block.json += delta.partial_json
  else if (delta.type === 'citations_delta') {
    const before = (content.citations as unknown[] | null | undefined) ?? []
    content.citations = [...before, plainCopy(delta.citation)]
  }
}

function finished({ content, json }: Block): Members {
  if (json === '') return content
  try {
    return { ...content, input: JSON.parse(json) }
  } catch {
    // Cut off in the middle, as where max_tokens was reached.
    return content
  }
}
