import { createDigestMemo, type DigestMemo } from './digest.ts'
import { isMark, Outline } from './outline.ts'

/** Digest and estimated size of the contents of a block. */
export interface BlockSize {
  readonly key: string
  readonly tokens: number
}

/** Reads the contents of blocks. */
export interface BlockReader {
  /** @param content text, or a block as the request has it; markers do not count */
  read(content: unknown): BlockSize
  keyOf(text: string): string
}

const BYTES_PER_TOKEN = 4
const MOST_TOKENS_OF_IMAGE = 1600
const IMAGE_CHARS_PER_TOKEN = 1000

/** Characters of text whose digests are remembered, twice. */
const REMEMBERED_CHARS = 8_000_000

export function createBlockReader(
  estimate: ((block: unknown, model: string) => number) | undefined,
  memo: DigestMemo = createDigestMemo(REMEMBERED_CHARS),
): { forModel(model: string): BlockReader } {
  return {
    forModel: (model) => ({
      keyOf: (text) => memo.of(text).key,
      read(content) {
        const size = sizeOf(content, memo)
        if (!estimate) return size
        const tokens = estimate(content, model)
        return { key: size.key, tokens: Number.isFinite(tokens) && tokens > 0 ? tokens : 0 }
      },
    }),
  }
}

function sizeOf(content: unknown, memo: DigestMemo): BlockSize {
  if (typeof content === 'string') return textSize(content, memo)
  const block = content as Record<string, unknown>
  if (isPlainText(block)) return textSize(block.text as string, memo)
  const outline = new Outline(memo)
  outline.addObject(block, true)
  const { key } = memo.of(outline.text)
  if (block.type === 'image') return { key: `i${key}`, tokens: imageTokens(block) }
  const isText = block.type === 'text' && typeof block.text === 'string'
  const bytes = isText ? memo.of(block.text as string).bytes : outline.jsonBytes
  return { key: `j${key}`, tokens: Math.ceil(bytes / BYTES_PER_TOKEN) }
}

function textSize(text: string, memo: DigestMemo): BlockSize {
  const { key, bytes } = memo.of(text)
  return { key, tokens: Math.ceil(bytes / BYTES_PER_TOKEN) }
}

/** Text with nothing else: the same for the provider as the text alone. */
function isPlainText(block: Record<string, unknown>): boolean {
  if (block.type !== 'text' || typeof block.text !== 'string') return false
  for (const name in block) {
    if (name !== 'type' && name !== 'text' && !isMark(name)) return false
  }
  return true
}

function imageTokens(block: Record<string, unknown>): number {
  const data = (block.source as { data?: unknown } | null | undefined)?.data
  const chars = typeof data === 'string' ? data.length : 0
  return Math.max(1, Math.min(MOST_TOKENS_OF_IMAGE, Math.ceil(chars / IMAGE_CHARS_PER_TOKEN)))
}
