import { asArray, asObject, type Json } from '../loopback/json-values.ts'
import { tokensOfText } from '../loopback/text-tokens.ts'

export type Endpoint = 'chat' | 'responses'

/** A request of either API, before anybody has looked into it. */
export type OpenaiRequest = Json & { readonly model: string }

/** The one model without explicit breakpoints that keeps prompts for a day only. */
export function isGpt55(model: unknown): boolean {
  return /^gpt-5\.5(?:-|$)/.test(String(model))
}

/** One piece of the prompt, in the order in which the model sees it. */
export interface PromptBlock {
  /** Where it stands and what it is, other than its text. */
  readonly kind: string
  readonly text: string
  readonly tokens: number
  /** What it was marked with. */
  readonly breakpoint: Json | undefined
  readonly ends: 'message' | 'user-message' | undefined
}

const MOST_TOKENS_OF_AN_IMAGE = 1600
const BASE64_PER_IMAGE_TOKEN = 1000

/** Tools, then instructions, then the conversation. */
export function promptBlocks(endpoint: Endpoint, request: OpenaiRequest): readonly PromptBlock[] {
  const blocks = asArray(request.tools).map((tool) => jsonBlock('tool', asObject(tool)))
  if (typeof request.instructions === 'string') {
    blocks.push({ ...textBlock('instructions', request.instructions), ends: 'message' })
  }
  const { input } = request
  const messages =
    endpoint === 'chat'
      ? asArray(request.messages)
      : typeof input === 'string'
        ? [{ role: 'user', content: input }]
        : asArray(input)
  for (const message of messages) blocks.push(...blocksOfMessage(asObject(message)))
  return blocks
}

/**
 * Settings that are part of what must be equal for a prompt to be found again: whoever changes one of
 * them begins anew.
 */
export function promptSettings(request: OpenaiRequest): string {
  const { model, parallel_tool_calls, service_tier, response_format, reasoning_effort } = request
  const text = asObject(request.text)
  return JSON.stringify([
    model,
    parallel_tool_calls ?? null,
    service_tier ?? null,
    response_format ?? text.format ?? null,
    request.verbosity ?? text.verbosity ?? null,
    reasoning_effort ?? asObject(request.reasoning).effort ?? null,
  ])
}

function blocksOfMessage(message: Json): readonly PromptBlock[] {
  const { content, tool_calls: calls, ...envelope } = message
  // Items of a Responses conversation that are no messages: calls, their outputs, reasoning.
  if (message.role === undefined) return [{ ...jsonBlock('item', message), ends: 'message' }]
  const kind = JSON.stringify(envelope)
  const blocks =
    typeof content === 'string'
      ? [textBlock(kind, content)]
      : asArray(content).map((part) => partBlock(kind, asObject(part)))
  blocks.push(...asArray(calls).map((call) => jsonBlock(kind, asObject(call))))
  const last = blocks.pop() ?? textBlock(kind, '')
  return [...blocks, { ...last, ends: message.role === 'user' ? 'user-message' : 'message' }]
}

function partBlock(kind: string, part: Json): PromptBlock {
  const { prompt_cache_breakpoint: marker, ...unmarked } = part
  const breakpoint = marker === undefined || marker === null ? undefined : asObject(marker)
  if (typeof part.text === 'string') return { ...textBlock(kind, part.text), breakpoint }
  const block = jsonBlock(kind, unmarked)
  const isImage = part.type === 'image_url' || part.type === 'input_image'
  return { ...block, ...(isImage && { tokens: tokensOfImage(part.image_url) }), breakpoint }
}

function textBlock(kind: string, text: string): PromptBlock {
  return { kind, text, tokens: tokensOfText(text), breakpoint: undefined, ends: undefined }
}

function jsonBlock(kind: string, block: Json): PromptBlock {
  return textBlock(`${kind} as JSON`, JSON.stringify(block))
}

/** Chat has the URL in an object, Responses bare. */
function tokensOfImage(image: unknown): number {
  const url = typeof image === 'string' ? image : asObject(image).url
  const data = typeof url === 'string' && url.startsWith('data:') ? url.split(',')[1] : ''
  const tokens = Math.ceil((data?.length ?? 0) / BASE64_PER_IMAGE_TOKEN)
  return Math.min(MOST_TOKENS_OF_AN_IMAGE, Math.max(1, tokens))
}
