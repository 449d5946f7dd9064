import { asObject, type Json } from '../loopback/json-values.ts'
import { BYTES_PER_TOKEN, tokensOfText } from '../loopback/text-tokens.ts'
import type { MessagesRequest } from './messages-request.ts'
import type { PromptBill, PromptCacheCall } from './prompt-cache.ts'
import { countTokens } from './prompt-tokens.ts'

/** What a scripted answer says. All of it may be left out. */
export interface FakeReply {
  /** One block of text. Without it and `content`: a sentence that depends on the prompt alone. */
  text?: string
  /** The blocks of the answer, e.g. `tool_use` or `thinking`. Goes before `text`. */
  content?: readonly unknown[]
  /** @default 'tool_use' where a tool is called, 'end_turn' elsewhere */
  stop_reason?: string
  stop_sequence?: string | null
  stop_details?: unknown
  /** As the answer names it. @default the one asked for */
  model?: string
  /** @default counted as prompts are */
  outputTokens?: number
}

/** What is known of a call when its answer is made. */
export interface ReplyInfo {
  /** Number of the call, from 1. */
  readonly call: number
  /** The key the client sent. */
  readonly workspace: string
  /** Tokens of its prompt by class. */
  readonly bill: PromptBill
}

/** Makes the answer of a call; text is short for `{ text }`, `undefined` for the answer by default. */
export type ReplyFunction = (
  request: MessagesRequest & Json,
  info: ReplyInfo,
) => FakeReply | string | undefined | Promise<FakeReply | string | undefined>

/** A whole answer. */
export interface Answer {
  readonly model: string
  readonly content: readonly Json[]
  readonly stop: {
    readonly stop_reason: string
    readonly stop_sequence: string | null
    readonly stop_details: unknown
  }
  readonly tokens: number
  readonly thinkingTokens: number
}

export function answerOf(
  request: MessagesRequest,
  cached: PromptCacheCall,
  reply: FakeReply | string = {},
): Answer {
  if (request.max_tokens === 0) return stopped(request, [], 'max_tokens')
  const scripted = typeof reply === 'string' ? { text: reply } : reply
  if (scripted.content === undefined && scripted.text === undefined) {
    const text = defaultText(cached)
    const most = Number(request.max_tokens) * BYTES_PER_TOKEN
    const reason = text.length > most ? 'max_tokens' : 'end_turn'
    return withScript(stopped(request, [textBlock(text.slice(0, most))], reason), scripted)
  }
  const content = (scripted.content ?? [textBlock(scripted.text ?? '')]).map(completed)
  const calls = content.some((block) => block.type === 'tool_use')
  return withScript(stopped(request, content, calls ? 'tool_use' : 'end_turn'), scripted)
}

function stopped(
  { model }: MessagesRequest,
  content: readonly Json[],
  stop_reason: string,
): Answer {
  const tokensOf = (block: Json): number => countTokens(block, JSON.stringify(block))
  return {
    model,
    content,
    stop: { stop_reason, stop_sequence: null, stop_details: null },
    tokens: content.reduce((sum, block) => sum + tokensOf(block), 0),
    thinkingTokens: content
      .filter((block) => block.type === 'thinking')
      .reduce((sum, block) => sum + tokensOfText(String(block.thinking)), 0),
  }
}

function withScript(answer: Answer, script: FakeReply): Answer {
  const { stop } = answer
  return {
    ...answer,
    model: script.model ?? answer.model,
    tokens: script.outputTokens ?? answer.tokens,
    stop: {
      stop_reason: script.stop_reason ?? stop.stop_reason,
      stop_sequence: script.stop_sequence ?? stop.stop_sequence,
      stop_details: script.stop_details ?? stop.stop_details,
    },
  }
}

/** The members that blocks of an answer always have, so that scripts need not name them. */
function completed(value: unknown): Json {
  const block = asObject(value)
  if (block.type === 'text') return { citations: null, ...block }
  if (block.type === 'tool_use') return { caller: { type: 'direct' }, ...block }
  return block
}

function textBlock(text: string): Json {
  return { type: 'text', text, citations: null }
}

/** The same for the same prompt; ASCII, so that characters are bytes. */
function defaultText({ digest, bill }: PromptCacheCall): string {
  return `This is answer ${digest.slice(0, 8)}, to a prompt of ${bill.total} tokens.`
}
