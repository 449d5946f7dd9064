import { asArray, asObject } from '../loopback/json-values.ts'
import type { MessagesRequest } from './messages-request.ts'
import { automaticBlock, markerOf, type PromptBlock, promptBlocks } from './prompt-blocks.ts'

/**
 * Why the provider answers 400, as its errors say it; `undefined` where it would not.
 * @param maxMarkers how many blocks may be marked, the automatic marker included
 */
export function faultOfRequest(
  request: MessagesRequest,
  endpoint: 'messages' | 'count_tokens',
  maxMarkers: number,
): string | undefined {
  const shape = faultOfShape(request)
  if (shape !== undefined) return shape
  const blocks = promptBlocks(request)
  return (
    (endpoint === 'messages' ? (faultOfMaxTokens(request) ?? faultOfWarmUp(request)) : undefined) ??
    faultOfMarkedBlocks(request, blocks) ??
    faultOfMarkerCount(request, blocks, maxMarkers) ??
    faultOfTtlOrder(request, blocks)
  )
}

function faultOfShape(request: MessagesRequest): string | undefined {
  const { model, messages, system, tools } = request
  if (typeof model !== 'string' || model === '') return 'model: Field required'
  if (messages === undefined) return 'messages: Field required'
  if (!Array.isArray(messages)) return 'messages: Input should be a valid list'
  if (messages.length === 0) return 'messages: at least one message is required'
  if (tools !== undefined && tools !== null && !Array.isArray(tools)) {
    return 'tools: Input should be a valid list'
  }
  if (system !== undefined && typeof system !== 'string' && !Array.isArray(system)) {
    return 'system: Input should be a valid string or list'
  }
  return firstOf(messages, faultOfMessage)
}

const ROLES: readonly unknown[] = ['user', 'assistant', 'system']

function faultOfMessage(message: unknown, at: number): string | undefined {
  const { role, content } = asObject(message)
  if (!ROLES.includes(role)) {
    return `messages.${at}.role: Input should be 'user', 'assistant' or 'system'`
  }
  if (typeof content === 'string') return undefined
  if (!Array.isArray(content)) return `messages.${at}.content: Input should be a valid list`
  return firstOf(content, (block, index) =>
    typeof asObject(block).type === 'string'
      ? undefined
      : `messages.${at}.content.${index}.type: Field required`,
  )
}

function faultOfMaxTokens({ max_tokens }: MessagesRequest): string | undefined {
  if (max_tokens === undefined) return 'max_tokens: Field required'
  if (!Number.isInteger(max_tokens)) return 'max_tokens: Input should be a valid integer'
  if ((max_tokens as number) < 0) return 'max_tokens: must be greater than or equal to 0'
  return undefined
}

/** A call with `max_tokens: 0` only fills the cache, and can ask for nothing that needs an answer. */
function faultOfWarmUp(request: MessagesRequest): string | undefined {
  if (request.max_tokens !== 0) return undefined
  const choice = asObject(request.tool_choice).type
  const wrong =
    (request.stream === true && '`stream`') ||
    (asObject(request.thinking).type === 'enabled' && '`thinking.type: enabled`') ||
    (asObject(request.output_config).format && '`output_config.format`') ||
    ((choice === 'any' || choice === 'tool') && `\`tool_choice.type: ${choice}\``)
  return wrong ? `max_tokens: 0 cannot be combined with ${wrong}` : undefined
}

function faultOfMarkedBlocks(
  request: MessagesRequest,
  blocks: readonly PromptBlock[],
): string | undefined {
  const marked = firstOf(blocks, ({ marker, markable, path, type }) => {
    if (marker === undefined || markable) return undefined
    return type === 'text'
      ? `${path}: cache_control cannot be set for empty text blocks`
      : `${path}.${type}.cache_control: Extra inputs are not permitted`
  })
  return marked ?? faultOfCacheControls(request)
}

function faultOfCacheControls(request: MessagesRequest): string | undefined {
  const withPaths: [unknown, string][] = [[request, '']]
  for (const tier of ['tools', 'system'] as const) {
    asArray(request[tier]).forEach((block, at) => {
      withPaths.push([block, `${tier}.${at}.`])
    })
  }
  request.messages.forEach((message, at) => {
    asArray(asObject(message).content).forEach((block, index) => {
      withPaths.push([block, `messages.${at}.content.${index}.`])
    })
  })
  return firstOf(withPaths, ([block, path]) =>
    faultOfCacheControl(asObject(block).cache_control, `${path}cache_control`),
  )
}

function faultOfCacheControl(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null) return undefined
  const { type, ttl } = asObject(value)
  if (type !== 'ephemeral') return `${path}.type: Input should be 'ephemeral'`
  if (ttl !== undefined && ttl !== null && ttl !== '5m' && ttl !== '1h') {
    return `${path}.ttl: Input should be '5m' or '1h'`
  }
  return undefined
}

function faultOfMarkerCount(
  request: MessagesRequest,
  blocks: readonly PromptBlock[],
  most: number,
): string | undefined {
  const explicit = blocks.filter((block) => block.marker !== undefined).length
  const automatic = markerOf(request.cache_control)
  const last = blocks[automaticBlock(blocks)]
  // On a block that is marked already it takes no slot; but not with another lifetime.
  const takesSlot = automatic !== undefined && last !== undefined && last.marker === undefined
  if (automatic !== undefined && last?.marker !== undefined && last.marker !== automatic) {
    return `cache_control: ttl='${automatic}' conflicts with ttl='${last.marker}' of ${last.path}, the last block`
  }
  const found = explicit + (takesSlot ? 1 : 0)
  if (found <= most) return undefined
  return `A maximum of ${most} blocks with cache_control may be provided. Found ${found}.`
}

function faultOfTtlOrder(
  request: MessagesRequest,
  blocks: readonly PromptBlock[],
): string | undefined {
  const late = (path: string) =>
    `${path}: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. ` +
    'Note that blocks are processed in the following order: `tools`, `system`, `messages`.'
  const first5m = blocks.findIndex((block) => block.marker === '5m')
  if (first5m < 0) return undefined
  const after = blocks.slice(first5m + 1).find((block) => block.marker === '1h')
  if (after) return late(`${after.path}.cache_control.ttl`)
  return markerOf(request.cache_control) === '1h' ? late('cache_control.ttl') : undefined
}

function firstOf<T>(
  values: readonly T[],
  faultOf: (value: T, at: number) => string | undefined,
): string | undefined {
  for (const [at, value] of values.entries()) {
    const fault = faultOf(value, at)
    if (fault !== undefined) return fault
  }
  return undefined
}
