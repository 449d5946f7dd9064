import type { CacheTtl } from '../usage/normalized-usage.ts'

/** The order in which a provider reads a prompt, and loses it. */
export type Tier = 'tools' | 'system' | 'messages'

/** One piece of a prompt, up to which a prefix can reach. */
export interface Block {
  /** Digest of all that decides whether it is the same: its contents, and what invalidates its tier. */
  readonly key: string
  /** Digest of its contents alone. */
  readonly content: string
  /** Estimated, not yet corrected by what answers have said. */
  readonly tokens: number
  readonly tier: Tier
  /** Index of the tool, of the system block, or of the message. */
  readonly item: number
  /** Index within the message or the system; -1: its content is plain text. */
  readonly part: number
  /** A run of tool uses, or of tool results, is one. */
  readonly position: number
  readonly canMark: boolean
  /** Lifetime of the client's own marker. */
  readonly marked: CacheTtl | undefined
}

/** What of a request is not in its blocks but decides whether they are found. */
export interface TierInputs {
  readonly toolChoice: string
  readonly thinking: string
  readonly hasImages: boolean
}

/** A request as the planner sees it. */
export interface Prompt {
  readonly blocks: readonly Block[]
  readonly inputs: TierInputs
  /** Lifetime of the automatic marker, which the provider places itself. */
  readonly automatic: CacheTtl | undefined
  /** Whether an earlier answer of the model is part of it. */
  readonly hasHistory: boolean
  /** Tools that the model is free to use: more turns are likely. */
  readonly hasFreeTools: boolean
}

/** JSON pointer (RFC 6901) of a block of a request of the Messages API. */
export function pointerOf(block: Block): string {
  if (block.tier === 'tools') return `/tools/${block.item}`
  const list = block.tier === 'system' ? '/system' : `/messages/${block.item}/content`
  return block.part < 0 ? list : `${list}/${block.part}`
}
