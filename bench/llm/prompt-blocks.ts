/** A request as the accounting sees it; members that it does not know cost nothing. */
export interface AccountedRequest {
  readonly model: string
  readonly system?: unknown
  readonly tools?: unknown
  readonly messages: unknown
  readonly cache_control?: unknown
  readonly tool_choice?: unknown
  readonly thinking?: unknown
  readonly output_config?: unknown
  readonly speed?: unknown
}

/** The parts of a prompt come in this order, and what changes one of them loses the later ones too. */
export type Tier = 'tools' | 'system' | 'messages'

/** One piece of a prompt, at which a prefix may end. */
export interface PromptBlock {
  readonly tier: Tier
  readonly type: string
  /** What must be the same for the block to be the same, without its marker. */
  readonly text: string
  readonly tokens: number
  readonly marker: '5m' | '1h' | undefined
  /** Thoughts and empty texts cannot be marked. */
  readonly markable: boolean
}

interface RawBlock {
  readonly type?: string
  readonly text?: unknown
  readonly source?: { readonly data?: unknown }
  readonly cache_control?: unknown
}

/** The blocks of a request in the order of the prompt. What was read once must not be changed later. */
export function blocksOf({ tools, system, messages }: AccountedRequest): PromptBlock[] {
  return [
    ...listOf(tools).flatMap((tool) => once(tool, () => [blockOf('tools', '', tool)])),
    ...once(system, () => partsOf(system).map((part) => blockOf('system', '', part))),
    ...listOf(messages).flatMap((message) => once(message, () => blocksOfMessage(message))),
  ]
}

/** The requests of a conversation have most of their parts in common. */
const known = new WeakMap<object, readonly PromptBlock[]>()

function once(part: unknown, read: () => readonly PromptBlock[]): readonly PromptBlock[] {
  if (typeof part !== 'object' || part === null) return read()
  let blocks = known.get(part)
  if (!blocks) {
    blocks = read()
    known.set(part, blocks)
  }
  return blocks
}

function blocksOfMessage(message: unknown): PromptBlock[] {
  const { role, content } = message as { role: string; content: unknown }
  return partsOf(content).map((part) => blockOf('messages', role, part))
}

/** @returns the lifetime that a marker asks for; undefined where there is none */
export function ttlOf(marker: unknown): '5m' | '1h' | undefined {
  if (typeof marker !== 'object' || marker === null) return undefined
  return (marker as { ttl?: string }).ttl === '1h' ? '1h' : '5m'
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A text alone is the same as a list with one block of text. */
function partsOf(content: unknown): readonly unknown[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return listOf(content)
}

function blockOf(tier: Tier, role: string, raw: unknown): PromptBlock {
  const { cache_control, ...bare } = raw as RawBlock
  const json = JSON.stringify(bare)
  const type = tier === 'tools' ? 'tool' : (bare.type ?? '')
  return {
    tier,
    type,
    text: `${role} ${json}`,
    tokens: tokensOf(type, bare, json),
    marker: ttlOf(cache_control),
    markable: !type.endsWith('thinking') && !(type === 'text' && bare.text === ''),
  }
}

function tokensOf(type: string, bare: RawBlock, json: string): number {
  if (type === 'text') return quarter(String(bare.text))
  if (type !== 'image') return quarter(json)
  const data = bare.source?.data
  const length = typeof data === 'string' ? data.length : 0
  return Math.max(1, Math.min(1600, Math.ceil(length / 1000)))
}

function quarter(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}

/**
 * What else must be the same for the blocks of a tier to be read, as a text to compare.
 * @param thinkingTier what a change of thinking loses
 */
export function conditionsOf(
  request: AccountedRequest,
  thinkingTier: 'messages' | 'all' | 'unknown',
): Record<Tier, string> {
  const thought = thinkingOf(request)
  const { format } = (request.output_config ?? {}) as { format?: unknown }
  const tools = JSON.stringify([request.model, thinkingTier === 'all' ? thought : null])
  const system = JSON.stringify([request.speed ?? null, searches(request), cites(request)])
  const messages = JSON.stringify([
    request.tool_choice ?? null,
    hasImage(request.messages),
    thought,
    format ?? null,
  ])
  return { tools, system: tools + system, messages: tools + system + messages }
}

/** To say the default is as good as to say nothing. */
function thinkingOf({ thinking, output_config }: AccountedRequest): unknown {
  const { type } = (thinking ?? {}) as { type?: string }
  const { effort } = (output_config ?? {}) as { effort?: string }
  return [
    type === undefined || type === 'disabled' ? null : thinking,
    effort === 'high' ? null : (effort ?? null),
  ]
}

function searches({ tools }: AccountedRequest): boolean {
  return listOf(tools).some((tool) =>
    String((tool as { type?: unknown }).type ?? '').startsWith('web_search'),
  )
}

function cites({ messages }: AccountedRequest): boolean {
  return listOf(messages).some((message) =>
    partsOf((message as { content?: unknown }).content).some(
      (part) => (part as { citations?: { enabled?: boolean } | null }).citations?.enabled === true,
    ),
  )
}

/** Also one inside the result of a tool. */
function hasImage(messages: unknown): boolean {
  return listOf(messages).some((message) => {
    const { type, content } = message as { type?: string; content?: unknown }
    return type === 'image' || hasImage(content)
  })
}
