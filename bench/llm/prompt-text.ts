import type Anthropic from '@anthropic-ai/sdk'
import { Prng } from './prng.ts'

/** One token is four bytes of text in all accounting here, so lengths come out exactly. */
const BYTES_PER_TOKEN = 4

const WORDS =
  'amount account agreed answer arrives before between branch buyer carried check clause column contract copy customer date delivery differs document due entry every field figure following form given goods invoice item known ledger letter line list matter named net number offer order other page paid part payment place point price product quantity rate reason record refers report rule seller sent shown signed state stock sum supplier table tax term text total under unit value which with within written'.split(
    ' ',
  )

/** Enough that no two slices of it are alike by chance. */
const PROSE = prose(400_000)

function prose(length: number): string {
  const random = new Prng(0x11ce)
  const parts: string[] = []
  for (let written = 0; written < length; ) {
    const word = random.pick(WORDS)
    parts.push(word)
    written += word.length + 1
  }
  return parts.join(' ')
}

/** A text of so many tokens that begins with its name: texts of different names differ at once. */
export function textOf(name: string, tokens: number, random: Prng): string {
  return filled(`${name}: `, tokens * BYTES_PER_TOKEN, random)
}

export function textBlock(
  name: string,
  tokens: number,
  random: Prng,
): Anthropic.Messages.TextBlockParam {
  return { type: 'text', text: textOf(name, tokens, random) }
}

export function toolOf(name: string, tokens: number, random: Prng): Anthropic.Messages.Tool {
  const schema = {
    type: 'object' as const,
    properties: { subject: { type: 'string' }, limit: { type: 'integer' } },
    required: ['subject'],
  }
  const bare: Anthropic.Messages.Tool = { name, description: '', input_schema: schema }
  return { ...bare, description: filled(`${name} `, room(bare, tokens), random) }
}

export function toolUse(
  id: string,
  name: string,
  tokens: number,
  random: Prng,
): Anthropic.Messages.ToolUseBlockParam {
  const bare = { type: 'tool_use' as const, id, name, input: { subject: '' } }
  return { ...bare, input: { subject: filled(`${id} `, room(bare, tokens), random) } }
}

export function toolResult(
  id: string,
  tokens: number,
  random: Prng,
): Anthropic.Messages.ToolResultBlockParam {
  const bare = { type: 'tool_result' as const, tool_use_id: id, content: '' }
  return { ...bare, content: filled(`Result of ${id}: `, room(bare, tokens), random) }
}

/** How many bytes of text make a block, which is counted as JSON, so many tokens. */
function room(bare: object, tokens: number): number {
  return Math.max(0, tokens * BYTES_PER_TOKEN - JSON.stringify(bare).length)
}

function filled(beginning: string, bytes: number, random: Prng): string {
  const missing = bytes - beginning.length
  if (missing <= 0) return beginning.slice(0, bytes)
  const from = random.between(0, PROSE.length - 1)
  let text = PROSE.slice(from, from + missing)
  while (text.length < missing) text += PROSE.slice(0, missing - text.length)
  return beginning + text
}
