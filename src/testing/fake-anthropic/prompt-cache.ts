import type { ModelProfile } from '../../llm/models/model-profile.ts'
import type { MessagesRequest } from './messages-request.ts'
import { prefixHashes } from './prefix-hashes.ts'
import { type MarkerTtl, markersOf, type PromptBlock, promptBlocks } from './prompt-blocks.ts'

const TTL_MS: Readonly<Record<MarkerTtl, number>> = { '5m': 300_000, '1h': 3_600_000 }

/** Where nobody has said how long a prefix must be. */
const UNKNOWN_MIN_TOKENS = 1024

/** Entries of a workspace are looked through for expired ones when there are so many. */
const SWEEP_AT = 1024

/** The rules of a model's prompt cache. */
export type CacheRules = Pick<ModelProfile, 'minTokens' | 'lookback' | 'thinkingTier'>

/** How a call is billed: tokens of the prompt by class. They add up to `total`. */
export interface PromptBill {
  readonly read: number
  readonly write5m: number
  readonly write1h: number
  readonly input: number
  readonly total: number
}

/** What the provider's documentation leaves open about its prompt cache. */
export interface PromptCacheBehaviour {
  /**
   * What a read keeps alive: the entry that was hit, or also those at the markers before it.
   * @default 'hit'
   */
  refresh?: 'hit' | 'hit+marked'
  /** From the first byte of an answer until what it wrote can be read, in milliseconds. @default 0 */
  commitLagMs?: number
  /** Share of the calls that find nothing, whatever is there; from 0 to 1. @default 0 */
  missJitter?: number
  /**
   * Of calls that write the same prefix at the same time, whether all pay for it or only the first,
   * the others paying for plain input.
   * @default 'all-billed'
   */
  concurrentWriters?: 'all-billed' | 'first-billed'
  /** Draws for `missJitter`, uniform in [0, 1). */
  random?: () => number
}

export interface PromptCacheOptions extends PromptCacheBehaviour {
  rules(model: string): CacheRules
}

/** A call that was looked up and has not yet written. One of `commit` and `abandon` ends it. */
export interface PromptCacheCall {
  readonly bill: PromptBill
  /** Tokens up to the last marker that counts: what a later call could read. */
  readonly cacheable: number
  /** Of the whole prompt, wherever its markers are. */
  readonly digest: string
  /** The answer begins: what the call writes can be read from now on, plus the lag. */
  commit(firstByteAt: number): void
  /** The call ended before its answer began: it writes nothing. */
  abandon(): void
}

/** The prompt cache of a provider, without a provider. */
export interface PromptCacheModel {
  /**
   * Looks a request up as it arrives. The request must be a valid one.
   * @param workspace calls of one never see what another's wrote
   * @param startedAt instant of any clock, in milliseconds; lifetimes count from it
   */
  begin(request: MessagesRequest, workspace: string, startedAt: number): PromptCacheCall
  /** Prefixes that are held, expired ones that nobody has looked for among them. */
  readonly size: number
}

interface Entry {
  readonly ttl: MarkerTtl
  readonly availableAt: number
  expiresAt: number
}

interface Workspace {
  /** By the hash of the prefix. */
  readonly entries: Map<string, readonly Entry[]>
  /** Prefixes that calls under way will write, with the number of those calls. */
  readonly pending: Map<string, number>
  sweepAt: number
}

/** One place of the prompt that a call may read or write. */
interface Step {
  readonly hash: string
  /** Of the prompt up to here. */
  readonly tokens: number
  /** Look-ups count these, not blocks. */
  readonly position: number
  /** Of the marker that stands here and counts. */
  readonly marker: MarkerTtl | undefined
}

/**
 * Accounts for prompts as the Messages API of Anthropic documents it, to the token, and needs neither
 * a server nor a clock. What it does not know is in {@link PromptCacheBehaviour}.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function promptCacheModel(options: PromptCacheOptions): PromptCacheModel {
  const workspaces = new Map<string, Workspace>()
  return {
    get size() {
      return [...workspaces.values()].reduce((sum, { entries }) => sum + entries.size, 0)
    },
    begin(request, name, startedAt) {
      let workspace = workspaces.get(name)
      if (workspace === undefined) {
        workspace = { entries: new Map(), pending: new Map(), sweepAt: SWEEP_AT }
        workspaces.set(name, workspace)
      }
      return begin(workspace, stepsOf(request, options.rules(request.model)), startedAt, options)
    },
  }
}

function begin(
  workspace: Workspace,
  { steps, total, lookback }: Prompt,
  startedAt: number,
  options: PromptCacheOptions,
): PromptCacheCall {
  const { refresh, commitLagMs = 0, concurrentWriters } = options
  const live = (at: number) => liveEntry(workspace, (steps[at] as Step).hash, startedAt)
  const hit = isMissed(options) ? -1 : lookUp(steps, lookback, live)
  if (hit >= 0) keepAlive(live(hit), startedAt)
  if (refresh === 'hit+marked') {
    for (let at = 0; at < hit; at++) {
      if ((steps[at] as Step).marker) keepAlive(live(at), startedAt)
    }
  }
  const writes = steps.filter(
    (step, at) =>
      at > hit &&
      step.marker !== undefined &&
      !(concurrentWriters === 'first-billed' && workspace.pending.has(step.hash)),
  )
  for (const { hash } of writes) count(workspace.pending, hash, 1)
  let ended = false
  const end = (): boolean => {
    if (ended) return false
    ended = true
    for (const { hash } of writes) count(workspace.pending, hash, -1)
    return true
  }
  return {
    bill: billOf(hit >= 0 ? (steps[hit] as Step).tokens : 0, writes, total),
    cacheable: steps.findLast((step) => step.marker !== undefined)?.tokens ?? 0,
    digest: steps.at(-1)?.hash ?? '',
    commit(firstByteAt) {
      if (!end()) return
      for (const step of writes) write(workspace, step, startedAt, firstByteAt + commitLagMs)
      sweep(workspace, startedAt)
    },
    abandon() {
      end()
    },
  }
}

interface Prompt {
  readonly steps: readonly Step[]
  readonly total: number
  readonly lookback: number
}

function stepsOf(request: MessagesRequest, rules: CacheRules): Prompt {
  const blocks = promptBlocks(request)
  const markers = markersOf(request, blocks)
  const hashes = prefixHashes(request, blocks, rules.thinkingTier)
  const least = rules.minTokens ?? UNKNOWN_MIN_TOKENS
  let tokens = 0
  let position = 0
  const steps = blocks.map((block, at): Step => {
    tokens += block.tokens
    if (!isOneRun(blocks[at - 1], block)) position++
    // A marker on too short a prefix is no error, and counts as none.
    const marker = tokens >= least ? markers[at] : undefined
    return { hash: hashes[at] as string, tokens, position, marker }
  })
  return { steps, total: tokens, lookback: rules.lookback }
}

/** Calls of tools in a row are one position, and so are their results. */
function isOneRun(before: PromptBlock | undefined, block: PromptBlock): boolean {
  return before?.type === block.type && (block.type === 'tool_use' || block.type === 'tool_result')
}

/** The step with the longest prefix that is there, looking back from each marker, the last one first. */
function lookUp(
  steps: readonly Step[],
  lookback: number,
  live: (at: number) => Entry | undefined,
): number {
  let nearest = Infinity
  for (let at = steps.length - 1; at >= 0; at--) {
    const step = steps[at] as Step
    if (step.marker !== undefined) nearest = step.position
    if (nearest - step.position < lookback && live(at)) return at
  }
  return -1
}

function billOf(read: number, writes: readonly Step[], total: number): PromptBill {
  const last1h = writes.findLast((step) => step.marker === '1h')?.tokens ?? read
  const last = writes.at(-1)?.tokens ?? read
  return {
    read,
    write1h: last1h - read,
    write5m: last - last1h,
    input: total - last,
    total,
  }
}

function isMissed({ missJitter = 0, random }: PromptCacheOptions): boolean {
  return missJitter > 0 && random !== undefined && random() < missJitter
}

/** Of several that can be read, as calls at the same time write them, the one that lives longest. */
function liveEntry({ entries }: Workspace, hash: string, now: number): Entry | undefined {
  let found: Entry | undefined
  for (const entry of entries.get(hash) ?? []) {
    if (entry.availableAt > now || entry.expiresAt <= now) continue
    if (found === undefined || entry.expiresAt > found.expiresAt) found = entry
  }
  return found
}

/** Counts from the start of the call that read it, to the lifetime it was written with. */
function keepAlive(entry: Entry | undefined, startedAt: number): void {
  if (entry) entry.expiresAt = Math.max(entry.expiresAt, startedAt + TTL_MS[entry.ttl])
}

function write(
  { entries }: Workspace,
  { hash, marker: ttl = '5m' }: Step,
  startedAt: number,
  availableAt: number,
): void {
  const entry = { ttl, availableAt, expiresAt: startedAt + TTL_MS[ttl] }
  const others = (entries.get(hash) ?? []).filter(({ expiresAt }) => expiresAt > startedAt)
  entries.set(hash, [...others, entry])
}

function sweep(workspace: Workspace, now: number): void {
  if (workspace.entries.size < workspace.sweepAt) return
  for (const [hash, entries] of workspace.entries) {
    if (entries.every(({ expiresAt }) => expiresAt <= now)) workspace.entries.delete(hash)
  }
  workspace.sweepAt = Math.max(SWEEP_AT, workspace.entries.size * 2)
}

function count(numbers: Map<string, number>, name: string, by: number): void {
  const next = (numbers.get(name) ?? 0) + by
  if (next > 0) numbers.set(name, next)
  else numbers.delete(name)
}
