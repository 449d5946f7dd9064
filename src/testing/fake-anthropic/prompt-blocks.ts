import { asArray, asObject, type Json } from '../loopback/json-values.ts'
import type { MessagesRequest } from './messages-request.ts'
import { countTokens } from './prompt-tokens.ts'

export type MarkerTtl = '5m' | '1h'

export type Tier = 'tools' | 'system' | 'messages'

/** One step of the prompt: a tool definition or a content block, in the order in which they are cached. */
export interface PromptBlock {
  readonly tier: Tier
  /** As the provider's errors name it, e.g. `messages.0.content.1`. */
  readonly path: string
  readonly type: string
  /** What makes it the same block: JSON as it was sent, markers left out, with the role it was said in. */
  readonly identity: string
  readonly tokens: number
  /** Whether a marker may stand on it. */
  readonly markable: boolean
  readonly marker: MarkerTtl | undefined
}

/** What can be cached of a request: tools, then system, then messages. */
export function promptBlocks(request: MessagesRequest): readonly PromptBlock[] {
  const blocks: PromptBlock[] = []
  asArray(request.tools).forEach((tool, at) => {
    blocks.push(promptBlock('tools', `tools.${at}`, asObject(tool), 'tool', ''))
  })
  for (const [at, block] of contentBlocks(request.system).entries()) {
    blocks.push(promptBlock('system', `system.${at}`, block, String(block.type), ''))
  }
  request.messages.forEach((message, at) => {
    const { content, ...rest } = asObject(message)
    // Turns of one role that follow each other are one turn, so where a message ends does not count.
    const said = JSON.stringify(rest)
    for (const [index, block] of contentBlocks(content).entries()) {
      const path = `messages.${at}.content.${index}`
      blocks.push(promptBlock('messages', path, block, String(block.type), said))
    }
  })
  return blocks
}

/** Text is short for one block of text. */
function contentBlocks(content: unknown): readonly Json[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return asArray(content).map(asObject)
}

function promptBlock(
  tier: Tier,
  path: string,
  block: Json,
  type: string,
  said: string,
): PromptBlock {
  const json = JSON.stringify(unmarked(block))
  return {
    tier,
    path,
    type,
    identity: said + json,
    tokens: countTokens(block, json),
    markable: isMarkable(type, block),
    marker: markerOf(block.cache_control),
  }
}

/**
 * Without markers, its own and those of blocks within it (which mark nothing). Never deeper: schemas of
 * tools and inputs of calls may have a member of that name.
 */
function unmarked(block: Json): Json {
  const { cache_control: _, ...rest } = block
  if (block.type !== 'tool_result' || !Array.isArray(block.content)) return rest
  return { ...rest, content: block.content.map((inner) => unmarked(asObject(inner))) }
}

function isMarkable(type: string, block: Json): boolean {
  if (type === 'thinking' || type === 'redacted_thinking') return false
  return type !== 'text' || block.text !== ''
}

export function markerOf(cacheControl: unknown): MarkerTtl | undefined {
  if (typeof cacheControl !== 'object' || cacheControl === null) return undefined
  return (cacheControl as Json).ttl === '1h' ? '1h' : '5m'
}

/** Where a marker at the top of the request comes to stand: on the last block that can have one. */
export function automaticBlock(blocks: readonly PromptBlock[]): number {
  return blocks.findLastIndex((block) => block.markable)
}

/** The lifetime asked for at each block, the automatic marker among them. */
export function markersOf(
  request: MessagesRequest,
  blocks: readonly PromptBlock[],
): readonly (MarkerTtl | undefined)[] {
  const markers = blocks.map((block) => block.marker)
  const automatic = markerOf(request.cache_control)
  const at = automaticBlock(blocks)
  if (automatic !== undefined && at >= 0) markers[at] ??= automatic
  return markers
}
