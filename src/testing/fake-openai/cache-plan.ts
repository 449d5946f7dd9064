import { toMs } from '../../kernel/duration.ts'
import type { ModelProfile } from '../../llm/models/model-profile.ts'
import { asObject } from '../loopback/json-values.ts'
import {
  type Endpoint,
  isGpt55,
  type OpenaiRequest,
  type PromptBlock,
  promptBlocks,
  promptSettings,
} from './openai-prompt.ts'
import { type PrefixPlace, placesOfBlocks, placesOfSteps } from './prefix-places.ts'

/** What the documentation of OpenAI leaves open, or says in two ways. */
export interface OpenaiCacheBehaviour {
  /**
   * Where an earlier prompt is looked for. `'guide'`: at the first 2 and the latest 50 explicit
   * breakpoints, the implicit one and up to 20 earlier ends of messages; `'latest-80'`, as the types of
   * the SDK have it: at the latest 80 of all of these.
   * @default 'guide'
   */
  lookup?: 'guide' | 'latest-80'
  /** Where the implicit breakpoint is. @default 'last-user-message' */
  implicitAt?: 'last-user-message' | 'last-message'
  /**
   * What keeps a written prefix alive: its lifetime counts from the call that wrote it, or begins again
   * with each call that reads it. Models up to 5.5 write in every call.
   * @default 'write'
   */
  refresh?: 'write' | 'read'
}

export type WriteTtl = '30m' | '12h'

/** A prefix that a call leaves behind. */
export interface PlannedWrite extends PrefixPlace {
  readonly ttlMs: number
  /** What it is billed as; `undefined`: nothing. */
  readonly billed: WriteTtl | undefined
}

/** What one call reads and writes, as far as its request decides. */
export interface CachePlan {
  readonly total: number
  /** Shortest first. */
  readonly reads: readonly PrefixPlace[]
  /** Shortest first. */
  readonly writes: readonly PlannedWrite[]
}

/** Where nobody has said how long a prefix must be. */
const UNKNOWN_MIN_TOKENS = 1024
/** How long models up to 5.4 keep what nobody asks for: "about 5 minutes", says no document exactly. */
const IN_MEMORY = '5m'
/** Implicit caches go in such steps. */
const STEP_TOKENS = 128
const MOST_IMPLICIT_MODE_EXPLICIT = 3
const LATEST = 80
const GUIDE = { firstExplicit: 2, latestExplicit: 50, messageEnds: 20 } as const

export function cachePlan(
  endpoint: Endpoint,
  request: OpenaiRequest,
  rules: Pick<ModelProfile, 'minTokens' | 'maxBreakpoints' | 'explicitBreakpoints'>,
  behaviour: OpenaiCacheBehaviour,
): CachePlan {
  const blocks = promptBlocks(endpoint, request)
  const settings = promptSettings(request)
  const total = blocks.reduce((sum, { tokens }) => sum + tokens, 0)
  const least = rules.minTokens ?? UNKNOWN_MIN_TOKENS
  if (!rules.explicitBreakpoints) {
    const reads = placesOfSteps(settings, blocks, STEP_TOKENS, least)
    const ttlMs = toMs(isKeptForADay(request) ? '24h' : IN_MEMORY, 'retention')
    return { total, reads, writes: reads.map((at) => ({ ...at, ttlMs, billed: undefined })) }
  }
  const places = placesOfBlocks(settings, blocks)
  const points = breakpointsOf(blocks, request, behaviour)
  const isLongEnough = (at: number): boolean => (places[at]?.tokens ?? 0) >= least
  const placeOf = (at: number): PrefixPlace => places[at] as PrefixPlace
  const ttls = new Map(points.explicit.map((at) => [at, ttlOf(blocks[at], request)]))
  const written = ordered(writtenOf(points, rules.maxBreakpoints)).filter(isLongEnough)
  return {
    total,
    reads: ordered(readOf(points, behaviour)).filter(isLongEnough).map(placeOf),
    writes: written.map((at) => {
      const billed = ttls.get(at) ?? ttlOf(undefined, request)
      return { ...placeOf(at), ttlMs: toMs(billed, 'ttl'), billed }
    }),
  }
}

/** 5.5 keeps no prompt for less. */
function isKeptForADay({ model, prompt_cache_retention: retention }: OpenaiRequest): boolean {
  return retention === '24h' || isGpt55(model)
}

/** Numbers of blocks. */
interface Breakpoints {
  readonly explicit: readonly number[]
  /** None in explicit mode, and where there is no such message. */
  readonly implicit: readonly number[]
  /** Where implicit breakpoints may have been before; none in explicit mode. */
  readonly messageEnds: readonly number[]
}

function breakpointsOf(
  blocks: readonly PromptBlock[],
  request: OpenaiRequest,
  { implicitAt = 'last-user-message' }: OpenaiCacheBehaviour,
): Breakpoints {
  const numbers = [...blocks.keys()]
  const explicit = numbers.filter((at) => blocks[at]?.breakpoint !== undefined)
  if (asObject(request.prompt_cache_options).mode === 'explicit') {
    return { explicit, implicit: [], messageEnds: [] }
  }
  const ends = numbers.filter((at) => blocks[at]?.ends !== undefined)
  const last =
    implicitAt === 'last-message'
      ? ends.at(-1)
      : ends.findLast((at) => blocks[at]?.ends === 'user-message')
  const implicit = last === undefined ? [] : [last]
  return { explicit, implicit, messageEnds: ends.filter((at) => at < (last ?? 0)) }
}

function writtenOf({ explicit, implicit }: Breakpoints, most: number): readonly number[] {
  const latest = implicit.length > 0 ? Math.min(MOST_IMPLICIT_MODE_EXPLICIT, most) : most
  return [...(latest > 0 ? explicit.slice(-latest) : []), ...implicit]
}

function readOf(
  points: Breakpoints,
  { lookup = 'guide' }: OpenaiCacheBehaviour,
): readonly number[] {
  const { explicit, implicit, messageEnds } = points
  if (lookup === 'latest-80') {
    return ordered([...explicit, ...messageEnds, ...implicit]).slice(-LATEST)
  }
  return [
    ...explicit.slice(0, GUIDE.firstExplicit),
    ...explicit.slice(-GUIDE.latestExplicit),
    ...messageEnds.slice(-GUIDE.messageEnds),
    ...implicit,
  ]
}

function ordered(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}

function ttlOf(block: PromptBlock | undefined, request: OpenaiRequest): WriteTtl {
  const ttl = block?.breakpoint?.ttl ?? asObject(request.prompt_cache_options).ttl
  return ttl === '12h' ? '12h' : '30m'
}
