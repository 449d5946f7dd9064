import type { Block, Prompt } from './block.ts'
import type { PlacePrior } from './place-stats.ts'

/** What ended a request, by what came before it. */
export type TailPlace = 'tail:first' | 'tail:task' | 'tail:thread' | 'tail:orphan' | 'tail:extends'

/**
 * Beliefs before anything was seen. Where they are wrong, a few requests correct them; where they are
 * right, the first request of a route is already marked well.
 */
const PRIORS: Readonly<Record<string, PlacePrior>> = {
  tools: { short: 0.35, long: 0.3, weight: 2, patience: 0 },
  system: { short: 0.5, long: 0.3, weight: 2, patience: 0 },
  // One question: a template, or the beginning of a conversation.
  'tail:first': { short: 0.12, long: 0.1, weight: 2, patience: 0.2 },
  // One question and tools to answer it with.
  'tail:task': { short: 0.15, long: 0.1, weight: 2, patience: 0.2 },
  // The caller says that it belongs to a conversation.
  'tail:thread': { short: 0.6, long: 0.2, weight: 2, patience: 0.2 },
  // Earlier turns that nobody here has seen: examples of a template, or a conversation from elsewhere.
  'tail:orphan': { short: 0.35, long: 0.2, weight: 2, patience: 0 },
  'tail:extends': { short: 0.85, long: 0.3, weight: 2, patience: 1 },
}

const INSIDE: PlacePrior = { short: 0.05, long: 0.3, weight: 1, patience: 0 }

/** Probability beforehand that a prefix that was gone on from once is left again at the same point. */
export const AGAIN = 0.1

export function priorOf(place: string): PlacePrior {
  return PRIORS[place] ?? INSIDE
}

/** How many blocks before the end, and how many messages and parts from the beginning, have a name. */
const NAMED_BEFORE_END = 4
const NAMED_MESSAGES = 3
const NAMED_PARTS = 4

/** The kind of place that a prefix ends at; '' for the many inside a prompt that are nothing special. */
export function placeOf(blocks: readonly Block[], at: number, tail: TailPlace): string {
  if (at === blocks.length - 1) return tail
  const block = blocks[at] as Block
  const next = blocks[at + 1] as Block
  if (block.tier !== 'messages') return block.tier === next.tier ? '' : block.tier
  const beforeEnd = blocks.length - 1 - at
  if (beforeEnd <= NAMED_BEFORE_END) return `end-${beforeEnd}`
  const isNear = block.item < NAMED_MESSAGES && block.part < NAMED_PARTS
  return isNear ? `message-${block.item}-${block.part}` : ''
}

export function tailPlaceOf(prompt: Prompt, extendsKnown: boolean, hasThread: boolean): TailPlace {
  if (extendsKnown) return 'tail:extends'
  if (prompt.hasHistory) return 'tail:orphan'
  if (hasThread) return 'tail:thread'
  return prompt.hasFreeTools ? 'tail:task' : 'tail:first'
}
