import type { ModelProfile } from '../../src/llm/models/model-profile.ts'
import {
  type AccountedRequest,
  blocksOf,
  conditionsOf,
  type PromptBlock,
  ttlOf,
} from './prompt-blocks.ts'

export const TTL_MS = { '5m': 300_000, '1h': 3_600_000 } as const

type OracleTtl = keyof typeof TTL_MS

/** What a call is billed for, in tokens, and `cost` in tokens of input. */
export interface OracleBill {
  readonly read: number
  readonly write5m: number
  readonly write1h: number
  readonly input: number
  readonly cost: number
}

export interface OracleOptions {
  /** From the first byte of the answer until what it wrote can be read. @default 0 */
  commitLagMs?: number
}

/** A prefix that the provider keeps: all of it, to be compared with. */
interface Kept {
  readonly conditions: string
  readonly texts: readonly string[]
  readonly ttlMs: number
  readonly availableAt: number
  expiresAt: number
}

interface Marker {
  /** Index of the block. */
  readonly at: number
  readonly ttl: OracleTtl
}

/**
 * The accounting of Anthropic's prompt cache, in the plainest way there is: it keeps whole prefixes and
 * compares them, block by block. Slow and easy to check, which is its worth: what is fast is held
 * against it. Calls must come in the order of their starts, requests must be valid.
 */
export class AccountingOracle {
  readonly #profile: ModelProfile
  readonly #commitLagMs: number
  #kept: Kept[] = []

  constructor(profile: ModelProfile, options: OracleOptions = {}) {
    this.#profile = profile
    this.#commitLagMs = options.commitLagMs ?? 0
  }

  /**
   * @param at start of the request, in milliseconds
   * @param firstByteAt of the answer: what the call writes can be read from then on
   */
  call(request: AccountedRequest, at: number, firstByteAt: number = at): OracleBill {
    this.#kept = this.#kept.filter(({ expiresAt }) => expiresAt > at)
    const blocks = blocksOf(request)
    const conditions = conditionsOf(request, this.#profile.thinkingTier)
    const until = cumulated(blocks)
    const markers = this.#markersOf(request, blocks, until)
    const texts = blocks.map(({ text }) => text)
    const prefixOf = (index: number): { conditions: string; texts: string[] } => ({
      conditions: conditions[(blocks[index] as PromptBlock).tier],
      texts: texts.slice(0, index + 1),
    })

    const hit = this.#hitOf(blocks, markers, (index) => this.#find(prefixOf(index), at))
    if (hit) hit.kept.expiresAt = Math.max(hit.kept.expiresAt, at + hit.kept.ttlMs)
    const written = markers.filter((marker) => marker.at > (hit?.at ?? -1))
    for (const marker of written) {
      const ttlMs = TTL_MS[marker.ttl]
      this.#kept.push({
        ...prefixOf(marker.at),
        ttlMs,
        availableAt: firstByteAt + this.#commitLagMs,
        expiresAt: at + ttlMs,
      })
    }
    return this.#bill(until, hit?.at ?? -1, written)
  }

  /** Markers whose prefix is long enough, in the order of the prompt; the others have no effect. */
  #markersOf(
    request: AccountedRequest,
    blocks: readonly PromptBlock[],
    until: readonly number[],
  ): Marker[] {
    const ttls = blocks.map(({ marker }) => marker)
    const automatic = ttlOf(request.cache_control)
    const last = blocks.findLastIndex(({ markable }) => markable)
    if (automatic && last >= 0) ttls[last] ??= automatic
    const { minTokens } = this.#profile
    return ttls.flatMap((ttl, at) =>
      ttl && (until[at] as number) >= (minTokens ?? 1024) ? [{ at, ttl }] : [],
    )
  }

  /** Looks back from the last marker, then from the one before it, and so on. */
  #hitOf(
    blocks: readonly PromptBlock[],
    markers: readonly Marker[],
    find: (index: number) => Kept | undefined,
  ): { at: number; kept: Kept } | undefined {
    for (const marker of markers.toReversed()) {
      for (const at of lookBack(blocks, marker.at, this.#profile.lookback)) {
        const kept = find(at)
        if (kept) return { at, kept }
      }
    }
    return undefined
  }

  /** Of several that are alike, as calls at the same time write them, the one that lives longest. */
  #find(prefix: Pick<Kept, 'conditions' | 'texts'>, at: number): Kept | undefined {
    let found: Kept | undefined
    for (const kept of this.#kept) {
      if (kept.availableAt > at || !isSame(kept.texts, prefix.texts)) continue
      if (kept.conditions !== prefix.conditions) continue
      if (!found || kept.expiresAt > found.expiresAt) found = kept
    }
    return found
  }

  #bill(until: readonly number[], hitAt: number, written: readonly Marker[]): OracleBill {
    const total = until.at(-1) ?? 0
    const read = until[hitAt] ?? 0
    const long = until[written.findLast(({ ttl }) => ttl === '1h')?.at ?? -1] ?? read
    const end = until[written.at(-1)?.at ?? -1] ?? read
    const bill = { read, write1h: long - read, write5m: end - long, input: total - end }
    const { write, read: readPrice } = this.#profile
    const cost =
      bill.read * readPrice +
      (bill.write1h && bill.write1h * (write['1h'] ?? Number.NaN)) +
      (bill.write5m && bill.write5m * (write['5m'] ?? Number.NaN)) +
      bill.input
    return { ...bill, cost }
  }
}

/** For each block the tokens up to its end. */
function cumulated(blocks: readonly PromptBlock[]): number[] {
  let sum = 0
  return blocks.map(({ tokens }) => {
    sum += tokens
    return sum
  })
}

/** The blocks from a marker backwards. Calls of tools that follow each other count once; so do results. */
function lookBack(blocks: readonly PromptBlock[], from: number, positions: number): number[] {
  const places: number[] = []
  let counted = 0
  for (let index = from; index >= 0; index--) {
    const type = (blocks[index] as PromptBlock).type
    const inRun = index < from && isToolTraffic(type) && blocks[index + 1]?.type === type
    if (!inRun) counted++
    if (counted > positions) break
    places.push(index)
  }
  return places
}

function isToolTraffic(type: string): boolean {
  return type === 'tool_use' || type === 'tool_result'
}

/** From the end, where prefixes differ soonest. */
function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let index = some.length - 1; index >= 0; index--) {
    if (some[index] !== others[index]) return false
  }
  return true
}
