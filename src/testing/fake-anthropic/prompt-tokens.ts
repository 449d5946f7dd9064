import { asObject, type Json } from '../loopback/json-values.ts'
import { tokensOfText } from '../loopback/text-tokens.ts'

const MOST_TOKENS_OF_AN_IMAGE = 1600
const BASE64_PER_IMAGE_TOKEN = 1000

/**
 * Tokens of one block or tool definition, by a rule that needs no tokeniser and is exact: bytes of UTF-8
 * divided by four, of the text where it is text, of its JSON elsewhere. Images by the length of their data.
 * @param json the block without its marker, as JSON
 */
export function countTokens(block: Json, json: string): number {
  if (block.type === 'text') return tokensOfText(String(block.text ?? ''))
  if (block.type === 'image') return tokensOfImage(asObject(block.source).data)
  return tokensOfText(json)
}

function tokensOfImage(data: unknown): number {
  const length = typeof data === 'string' ? data.length : 0
  return Math.min(MOST_TOKENS_OF_AN_IMAGE, Math.max(1, Math.ceil(length / BASE64_PER_IMAGE_TOKEN)))
}
