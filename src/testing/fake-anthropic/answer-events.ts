import { cutText } from '../loopback/cut-text.ts'
import type { Json } from '../loopback/json-values.ts'
import type { Answer } from './answer.ts'

/** One server-sent event of the Messages API. */
export interface AnswerEvent extends Json {
  readonly type: string
}

/**
 * The content of an answer as events.
 * @param chunks deltas per block, where it has text enough
 */
export function contentEvents({ content }: Answer, chunks: number): readonly AnswerEvent[] {
  return content.flatMap((block, index) => [
    { type: 'content_block_start', index, content_block: begunBlock(block) },
    ...deltasOf(block, chunks).map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ])
}

/** The block without what its deltas bring. */
function begunBlock(block: Json): Json {
  if (block.type === 'text') return { ...block, text: '' }
  if (block.type === 'tool_use') return { ...block, input: {} }
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' }
  return block
}

function deltasOf(block: Json, chunks: number): readonly Json[] {
  const pieces = (text: unknown): readonly string[] => cutText(String(text ?? ''), chunks)
  switch (block.type) {
    case 'text':
      return pieces(block.text).map((text) => ({ type: 'text_delta', text }))
    case 'tool_use':
      return pieces(JSON.stringify(block.input ?? {})).map((partial_json) => ({
        type: 'input_json_delta',
        partial_json,
      }))
    case 'thinking':
      return [
        ...pieces(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: String(block.signature ?? '') },
      ]
    default:
      return []
  }
}
