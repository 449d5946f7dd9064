import { hash } from 'node:crypto'
import { asObject } from '../loopback/json-values.ts'
import { tokensOfText } from '../loopback/text-tokens.ts'
import type { OpenaiBill } from './openai-cache.ts'
import { type Endpoint, type OpenaiRequest, promptBlocks } from './openai-prompt.ts'

const BYTES_PER_TOKEN = 4

/** What a scripted answer says. All of it may be left out. */
export interface FakeOpenAIReply {
  /** @default a sentence that depends on the prompt alone */
  text?: string
  /** Functions it calls; `arguments` is an object, or the JSON as it is. */
  toolCalls?: readonly { readonly name: string; readonly arguments?: unknown }[]
  /** Instead of a text. */
  refusal?: string
  /** Why it ends, in the words of Chat Completions. @default what the answer is like */
  finish_reason?: 'stop' | 'length' | 'tool_calls' | 'content_filter'
  /** As the answer names it. @default the one asked for */
  model?: string
  /** @default counted as prompts are */
  outputTokens?: number
  /** Part of `outputTokens`. @default 0 */
  reasoningTokens?: number
}

/** What is known of a call when its answer is made. */
export interface OpenAIReplyInfo {
  /** Number of the call, from 1. */
  readonly call: number
  readonly endpoint: Endpoint
  /** The key the client sent. */
  readonly workspace: string
  /** Tokens of its prompt by class. */
  readonly bill: OpenaiBill
}

/** Makes the answer of a call; text is short for `{ text }`, `undefined` for the answer by default. */
export type OpenAIReplyFunction = (
  request: OpenaiRequest,
  info: OpenAIReplyInfo,
) => FakeOpenAIReply | string | undefined | Promise<FakeOpenAIReply | string | undefined>

/** A whole answer, before it is put into the words of an API. */
export interface Answer {
  readonly model: string
  readonly text: string
  readonly refusal: string | null
  readonly toolCalls: readonly {
    readonly id: string
    readonly name: string
    readonly json: string
  }[]
  readonly finish: 'stop' | 'length' | 'tool_calls' | 'content_filter'
  readonly tokens: number
  readonly reasoningTokens: number
}

export function answerOf(
  endpoint: Endpoint,
  request: OpenaiRequest,
  reply: FakeOpenAIReply | string = {},
): Answer {
  const script = typeof reply === 'string' ? { text: reply } : reply
  const calls = (script.toolCalls ?? []).map((call, at) => ({
    id: `call_${at + 1}`,
    name: call.name,
    json:
      typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {}),
  }))
  const isSilent = calls.length > 0 || script.refusal !== undefined
  const whole = script.text ?? (isSilent ? '' : defaultText(endpoint, request))
  const most = mostTokens(request) * BYTES_PER_TOKEN
  // A script is taken at its word.
  const text = script.text === undefined ? whole.slice(0, most) : whole
  const counted = [text, script.refusal ?? '', ...calls.map(({ name, json }) => name + json)]
  const { reasoningTokens = 0 } = script
  return {
    model: script.model ?? request.model,
    text,
    refusal: script.refusal ?? null,
    toolCalls: calls,
    finish:
      script.finish_reason ??
      (calls.length > 0 ? 'tool_calls' : text.length < whole.length ? 'length' : 'stop'),
    tokens:
      script.outputTokens ??
      counted.reduce((sum, part) => sum + tokensOfText(part), reasoningTokens),
    reasoningTokens,
  }
}

/** Of a request that only fills the cache. */
export function emptyAnswer(model: string): Answer {
  const nothing = { text: '', refusal: null, toolCalls: [], tokens: 0, reasoningTokens: 0 }
  return { model, ...nothing, finish: 'stop' }
}

export function isPrewarm(request: OpenaiRequest): boolean {
  return asObject(request.prompt_cache_options).prewarm === true
}

function mostTokens(request: OpenaiRequest): number {
  const most = request.max_output_tokens ?? request.max_completion_tokens ?? request.max_tokens
  return typeof most === 'number' ? most : Infinity
}

/** The same for the same prompt, wherever its breakpoints are; ASCII, so that characters are bytes. */
function defaultText(endpoint: Endpoint, request: OpenaiRequest): string {
  const blocks = promptBlocks(endpoint, request)
  const prompt = blocks.map(({ kind, text }) => [kind, text])
  const digest = hash('sha256', JSON.stringify([request.model, prompt]), 'hex')
  const tokens = blocks.reduce((sum, block) => sum + block.tokens, 0)
  return `This is answer ${digest.slice(0, 8)} to a prompt of ${blocks.length} blocks and ${tokens} tokens.`
}
