import { createHash, hash } from 'node:crypto'
import type { PromptBlock } from './openai-prompt.ts'

/** A prefix of a prompt. */
export interface PrefixPlace {
  readonly hash: string
  readonly tokens: number
}

const BYTES_PER_TOKEN = 4

/** For each block the prefix up to its end. */
export function placesOfBlocks(
  settings: string,
  blocks: readonly PromptBlock[],
): readonly PrefixPlace[] {
  let prefix = hash('sha256', settings, 'base64url')
  let tokens = 0
  return blocks.map((block) => {
    prefix = hash('sha256', JSON.stringify([prefix, block.kind, block.text]), 'base64url')
    tokens += block.tokens
    return { hash: prefix, tokens }
  })
}

/** The prefixes of every multiple of `step` tokens, from `least` on, wherever blocks end. */
export function placesOfSteps(
  settings: string,
  blocks: readonly PromptBlock[],
  step: number,
  least: number,
): readonly PrefixPlace[] {
  const places: PrefixPlace[] = []
  const hasher = createHash('sha256').update(settings)
  let tokens = 0
  for (const block of blocks) {
    hasher.update(`\n${JSON.stringify(block.kind)}\n`)
    const bytes = Buffer.from(block.text)
    const end = tokens + block.tokens
    let done = 0
    for (let at = nextStep(tokens, step); at <= end; at += step) {
      const to = Math.min(bytes.length, (at - tokens) * BYTES_PER_TOKEN)
      hasher.update(bytes.subarray(done, to))
      done = to
      if (at >= least) places.push({ hash: hasher.copy().digest('base64url'), tokens: at })
    }
    hasher.update(bytes.subarray(done))
    tokens = end
  }
  return places
}

function nextStep(tokens: number, step: number): number {
  return (Math.floor(tokens / step) + 1) * step
}
