import type { CacheTtl } from '../usage/normalized-usage.ts'
import type { Block, Prompt, Tier } from './block.ts'
import type { BlockReader } from './block-reader.ts'

interface RawBlock {
  readonly type?: unknown
  readonly text?: unknown
  readonly cache_control?: unknown
  readonly caller?: { readonly type?: unknown } | null
  readonly defer_loading?: unknown
  readonly tool_use_id?: unknown
  readonly id?: unknown
}

interface RawRequest {
  readonly system?: unknown
  readonly tools?: unknown
  readonly messages?: unknown
  readonly cache_control?: unknown
  readonly tool_choice?: unknown
  readonly thinking?: { readonly type?: unknown } | null
  readonly output_config?: { readonly effort?: unknown; readonly format?: unknown } | null
  readonly speed?: unknown
}

/** Blocks that may carry a marker; others (thoughts, server tools) are refused by the API or were. */
const MARKABLE = new Set(['text', 'image', 'document', 'tool_use', 'tool_result', 'search_result'])

/** The blocks of a request of the Messages API, in the order in which the provider reads them. */
export function readAnthropic(
  request: unknown,
  thinkingTier: 'messages' | 'all' | 'unknown',
  reader: BlockReader,
): Prompt {
  const raw = request as RawRequest
  const draft = new Draft(reader)
  const tools = listOf(raw.tools)
  const messages = listOf(raw.messages)
  const thinking = thinkingOf(raw)
  const facts = factsOf(messages)

  draft.begin('tools', thinkingTier === 'messages' ? '' : thinking)
  for (let item = 0; item < tools.length; item++) draft.add(item, -1, tools[item], '')
  draft.begin('system', systemConditions(raw, tools, facts.hasCitations))
  draft.addContent(-1, raw.system, '')
  const toolChoice = raw.tool_choice ? JSON.stringify(raw.tool_choice) : ''
  const format = raw.output_config?.format ? JSON.stringify(raw.output_config.format) : ''
  const images = facts.hasImages ? 'images' : ''
  draft.begin('messages', joined(toolChoice, thinking, images, format))
  for (let item = 0; item < messages.length; item++) {
    const message = messages[item] as { role?: unknown; content?: unknown } | undefined
    draft.addContent(item, message?.content, message?.role === 'user' ? '' : String(message?.role))
  }

  return {
    blocks: draft.blocks,
    inputs: { toolChoice, thinking, hasImages: facts.hasImages },
    automatic: ttlOf(raw.cache_control),
    hasHistory: facts.hasHistory,
    hasFreeTools: tools.length > 0 && isFree(raw.tool_choice),
  }
}

/** Collects blocks; what invalidates a tier goes into the key of its first block. */
class Draft {
  readonly blocks: Block[] = []
  readonly #reader: BlockReader
  #tier: Tier = 'tools'
  #conditions = ''
  #position = -1
  #lastType: unknown
  readonly #programmatic = new Set<unknown>()

  constructor(reader: BlockReader) {
    this.#reader = reader
  }

  begin(tier: Tier, conditions: string): void {
    this.#tier = tier
    if (conditions) this.#conditions = `${this.#reader.keyOf(conditions)}|`
  }

  addContent(item: number, content: unknown, role: string): void {
    if (typeof content === 'string') this.#push(item, -1, 'text', content, role, undefined)
    else if (Array.isArray(content)) {
      for (let part = 0; part < content.length; part++) this.add(item, part, content[part], role)
    }
  }

  add(item: number, part: number, block: unknown, role: string): void {
    // What is no object is refused by the API; a marker would make something else of it.
    const raw = (typeof block === 'object' && block !== null ? block : { not: block }) as RawBlock
    const type = this.#tier === 'tools' && raw === block ? 'tool' : raw.type
    this.#push(item, part, type, raw, role, ttlOf(raw.cache_control))
  }

  #push(
    item: number,
    part: number,
    type: unknown,
    content: RawBlock | string,
    role: string,
    marked: CacheTtl | undefined,
  ): void {
    const isRun = (type === 'tool_use' || type === 'tool_result') && type === this.#lastType
    if (!isRun) this.#position++
    this.#lastType = type
    const { key, tokens } = this.#reader.read(content)
    this.blocks.push({
      key: this.#conditions || role ? `${this.#conditions}${role} ${key}` : key,
      content: key,
      tokens,
      tier: this.#tier,
      item,
      part,
      position: this.#position,
      canMark: typeof content === 'string' ? content !== '' : this.#canMark(type, content),
      marked,
    })
    this.#conditions = ''
  }

  #canMark(type: unknown, raw: RawBlock): boolean {
    if (type === 'tool') return raw.defer_loading !== true
    if (type === 'text') return raw.text !== ''
    // Calls that code made, and their results, are refused as places of a marker.
    if (raw.caller && raw.caller.type !== 'direct') {
      this.#programmatic.add(raw.id)
      return false
    }
    if (type === 'tool_result' && this.#programmatic.has(raw.tool_use_id)) return false
    return MARKABLE.has(type as string)
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function joined(...parts: string[]): string {
  return parts.some((part) => part !== '') ? parts.join('\n') : ''
}

function ttlOf(marker: unknown): CacheTtl | undefined {
  if (typeof marker !== 'object' || marker === null) return undefined
  return (marker as { ttl?: unknown }).ttl === '1h' ? '1h' : '5m'
}

function isFree(choice: unknown): boolean {
  const type = (choice as { type?: unknown } | null | undefined)?.type
  return type === undefined || type === 'auto'
}

/** To ask for the default is to ask for nothing. */
function thinkingOf({ thinking, output_config }: RawRequest): string {
  const isOff = !thinking || thinking.type === undefined || thinking.type === 'disabled'
  const effort = output_config?.effort
  const isDefault = effort === undefined || effort === null || effort === 'high'
  return joined(isOff ? '' : JSON.stringify(thinking), isDefault ? '' : String(effort))
}

function systemConditions(
  raw: RawRequest,
  tools: readonly unknown[],
  hasCitations: boolean,
): string {
  const searches = tools.some((tool) =>
    String((tool as { type?: unknown } | null)?.type ?? '').startsWith('web_search'),
  )
  return joined(
    typeof raw.speed === 'string' ? raw.speed : '',
    searches ? 'search' : '',
    hasCitations ? 'citations' : '',
  )
}

interface Facts {
  hasImages: boolean
  hasCitations: boolean
  hasHistory: boolean
}

function factsOf(messages: readonly unknown[]): Facts {
  const facts: Facts = { hasImages: false, hasCitations: false, hasHistory: false }
  for (const message of messages) {
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown }
    if (role === 'assistant') facts.hasHistory = true
    for (const block of listOf(content)) note(block, facts)
  }
  return facts
}

function note(block: unknown, facts: Facts): void {
  const { type, citations, content } = (block ?? {}) as {
    type?: unknown
    citations?: { enabled?: unknown } | null
    content?: unknown
  }
  if (type === 'image') facts.hasImages = true
  if (citations?.enabled === true) facts.hasCitations = true
  // An image may stand in the result of a tool.
  if (Array.isArray(content)) for (const inner of content) note(inner, facts)
}
