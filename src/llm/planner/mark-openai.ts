import type { Block } from './block.ts'

type Raw = Record<string, unknown>

/** How a request of OpenAI is to be cached. */
export interface OpenAiMarks {
  readonly list: 'messages' | 'input'
  readonly blocks: readonly Block[]
  /** The end of the prompt is written too, as the provider does by itself. */
  readonly isImplicit: boolean
  readonly ttl: string
}

/** A copy of the request with breakpoints; what does not lead to one is shared with the request given. */
export function markOpenAi<R>(request: R, { list, blocks, isImplicit, ttl }: OpenAiMarks): R {
  const copy: Raw = { ...(request as Raw) }
  copy.prompt_cache_options = { mode: isImplicit ? 'implicit' : 'explicit', ttl }
  const textType = list === 'input' ? 'input_text' : 'text'
  for (const { item, part } of blocks) {
    if (item < 0) {
      copy[list] = [{ role: 'user', content: [marked({ type: textType, text: copy[list] })] }]
      continue
    }
    const messages = [...(copy[list] as Raw[])]
    const message = messages[item] as Raw
    messages[item] = { ...message, content: withMark(message.content, part, textType) }
    copy[list] = messages
  }
  return copy as R
}

function withMark(content: unknown, part: number, textType: string): unknown[] {
  if (part < 0) return [marked({ type: textType, text: content })]
  const parts = [...(content as Raw[])]
  parts[part] = marked(parts[part] as Raw)
  return parts
}

function marked(block: Raw): Raw {
  return { ...block, prompt_cache_breakpoint: { mode: 'explicit' } }
}
