import type { Block, Prompt, Tier } from './block.ts'
import type { BlockReader } from './block-reader.ts'

type Raw = Record<string, unknown>

/** A request of Chat Completions or of the Responses API, as the planner sees it. */
export interface OpenAiPrompt extends Prompt {
  /** Member that holds the messages. */
  readonly list: 'messages' | 'input'
  /** It brings its own breakpoints or options of caching, and is left alone. */
  readonly isSettled: boolean
}

const MARKABLE = new Set(['text', 'input_text', 'image_url', 'input_image', 'file', 'input_file'])
const MARKABLE_ROLES = new Set(['system', 'developer', 'user'])

/** The blocks of a request in the order in which the provider reads them. */
export function readOpenAi(request: unknown, reader: BlockReader): OpenAiPrompt {
  const raw = request as Raw
  const list = Array.isArray(raw.messages) ? 'messages' : 'input'
  const draft = new Draft(reader, conditionsOf(raw))
  const tools = listOf(raw.tools)
  tools.forEach((tool, item) => {
    draft.push('tools', item, -1, tool, '', false)
  })
  if (typeof raw.instructions === 'string')
    draft.push('system', -1, -1, raw.instructions, '', false)
  const content = raw[list]
  if (typeof content === 'string') draft.push('messages', -1, -1, content, 'user', content !== '')
  else {
    listOf(content).forEach((message, item) => {
      draft.addMessage(item, (message ?? {}) as Raw)
    })
  }
  // The provider marks the end by itself, whatever it is.
  const end = draft.blocks.at(-1)
  const blocks = end ? [...draft.blocks.slice(0, -1), { ...end, canMark: true }] : []
  return {
    list,
    blocks,
    inputs: { toolChoice: textOf(raw.tool_choice), thinking: effortOf(raw), hasImages: false },
    automatic: undefined,
    hasHistory: draft.hasHistory,
    hasFreeTools: tools.length > 0 && (raw.tool_choice ?? 'auto') === 'auto',
    isSettled: raw.prompt_cache_options !== undefined || draft.isMarked,
  }
}

/** All of them lose the whole prompt. */
function conditionsOf(raw: Raw): string {
  const text = (raw.text ?? {}) as Raw
  const parts = [raw.parallel_tool_calls, text.format ?? raw.response_format, text.verbosity]
  parts.push(effortOf(raw), raw.service_tier)
  return parts.some((part) => part) ? JSON.stringify(parts) : ''
}

function effortOf(raw: Raw): string {
  return textOf((raw.reasoning as Raw | undefined)?.effort ?? raw.reasoning_effort)
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

class Draft {
  readonly blocks: Block[] = []
  hasHistory = false
  isMarked = false
  readonly #reader: BlockReader
  #conditions: string

  constructor(reader: BlockReader, conditions: string) {
    this.#reader = reader
    this.#conditions = conditions && `${reader.keyOf(conditions)}|`
  }

  addMessage(item: number, message: Raw): void {
    const role = textOf(message.role)
    if (role === 'assistant' || message.type === 'function_call') this.hasHistory = true
    const { content } = message
    const isSystem = role === 'system' || role === 'developer'
    const tier = isSystem && !this.hasHistory ? 'system' : 'messages'
    // Calls of tools and their results belong to the message as a whole.
    if (message.tool_calls !== undefined || message.tool_call_id !== undefined || !role) {
      this.push(tier, item, -1, message, role, false)
    } else if (typeof content === 'string') {
      this.push(tier, item, -1, content, role, content !== '' && MARKABLE_ROLES.has(role))
    } else {
      listOf(content).forEach((part, index) => {
        const type = (part as Raw | null)?.type
        const canMark = MARKABLE_ROLES.has(role) && MARKABLE.has(type as string)
        this.push(tier, item, index, part, role, canMark)
      })
    }
  }

  push(
    tier: Tier,
    item: number,
    part: number,
    content: unknown,
    role: string,
    canMark: boolean,
  ): void {
    const mark = typeof content === 'object' && (content as Raw | null)?.prompt_cache_breakpoint
    if (mark) this.isMarked = true
    const { key, tokens } = this.#reader.read(content ?? {})
    const position = this.blocks.length
    const whole = `${this.#conditions}${role} ${key}`
    this.blocks.push({
      key: whole,
      content: key,
      tokens,
      tier,
      item,
      part,
      position,
      canMark,
      marked: undefined,
    })
    this.#conditions = ''
  }
}

/** JSON pointer (RFC 6901) of a block. */
export function openAiPointer(block: Block, list: 'messages' | 'input'): string {
  if (block.tier === 'tools') return `/tools/${block.item}`
  if (block.item < 0) return block.tier === 'system' ? '/instructions' : `/${list}`
  const message = `/${list}/${block.item}`
  return block.part < 0 ? `${message}/content` : `${message}/content/${block.part}`
}
