import type { ModelProfile, ProfileOverrides } from '../models/model-profile.ts'
import { findProfile } from '../models/profiles.ts'
import type { CacheTtl, NormalizedUsage } from './normalized-usage.ts'

/** What a call has cost, in dollars. */
export interface UsagePrice {
  readonly actual: number
  /** The same tokens without a prompt cache: all of the prompt at the price of input. */
  readonly counterfactual: number
  /** `counterfactual - actual`; negative where writes were not read often enough. */
  readonly saved: number
  /** Parts of `actual`. */
  readonly breakdown: {
    readonly uncached: number
    readonly read: number
    readonly write: Readonly<Partial<Record<CacheTtl, number>>>
    readonly output: number
    /** Of other work in the same call, at the prices of its own models. */
    readonly extra: number
  }
  /** The day the prices were looked up, the oldest of all that were used. */
  readonly asOf: string
}

/** Why there is no sum. */
export interface UnknownPrice {
  /** The model that has no known price, or none for the way it was called. */
  readonly unknownModel: string
  /** What is not known: the model at all, or its price in this tier, speed, place or lifetime. */
  readonly reason: 'model' | 'tier' | 'speed' | 'geo' | 'ttl'
}

const PER_MILLION = 1e6

/**
 * What a call has cost, and what it would have cost without the provider's prompt cache, in dollars.
 *
 * Writes are priced by lifetime, long prompts by the tier their whole prompt falls into, batches and
 * places by the factors of the profile, and work of other models in the same call at their prices. A
 * wrong sum is worse than none: fast mode, priority tiers, places and lifetimes without a known price
 * give `unknownModel`, as do models without one, and one such part of a call is enough.
 *
 * It is the price of the tokens: fees per use of a tool at the provider, such as a search, are not in it.
 *
 * @param table changes to the built-in prices, by `provider/id`
 * @throws ERR_INVALID_OPTION for a table that is none
 */
export function priceUsage(
  usage: NormalizedUsage,
  table?: ProfileOverrides,
): UsagePrice | UnknownPrice {
  const profile = findProfile(usage.provider, usage.model, table)
  const { price } = profile
  const unknown = unknownPart(usage, profile)
  if (price === undefined || unknown) {
    return { unknownModel: usage.model, reason: unknown ?? 'model' }
  }
  const others = { actual: 0, counterfactual: 0, asOf: profile.asOf }
  for (const extra of usage.extra ?? []) {
    const priced = priceUsage(extra, table)
    if ('unknownModel' in priced) return priced
    others.actual += priced.actual
    others.counterfactual += priced.counterfactual
    if (priced.asOf < others.asOf) others.asOf = priced.asOf
  }
  const { longPrompt } = profile
  const rates = longPrompt && usage.inputTotal > longPrompt.over ? longPrompt : price
  const factor = factorOf(usage, profile)
  const inputs = (tokens: number) => (tokens * rates.input * factor) / PER_MILLION
  const uncached = inputs(usage.inputUncached)
  const read = inputs(usage.cacheRead) * profile.read
  const output = (usage.output * rates.output * factor) / PER_MILLION
  const write: Partial<Record<CacheTtl, number>> = {}
  let written = 0
  for (const [ttl, tokens] of Object.entries(usage.cacheWrite) as [CacheTtl, number][]) {
    const cost = inputs(tokens) * (profile.write[ttl] as number)
    write[ttl] = cost
    written += cost
  }
  const actual = uncached + read + written + output + others.actual
  const counterfactual = inputs(usage.inputTotal) + output + others.counterfactual
  return {
    actual,
    counterfactual,
    saved: counterfactual - actual,
    breakdown: { uncached, read, write, output, extra: others.actual },
    asOf: others.asOf,
  }
}

function unknownPart(
  usage: NormalizedUsage,
  profile: ModelProfile,
): UnknownPrice['reason'] | undefined {
  if (profile.price === undefined) return 'model'
  for (const part of ['tier', 'speed', 'geo'] as const) {
    const word = usage[part]
    if (word !== undefined && !hasFactor(profile, part, word)) return part
  }
  if (usage.batch && !hasFactor(profile, 'tier', 'batch')) return 'tier'
  const ttls = Object.keys(usage.cacheWrite) as CacheTtl[]
  return ttls.some((ttl) => profile.write[ttl] === undefined) ? 'ttl' : undefined
}

function hasFactor(profile: ModelProfile, part: 'tier' | 'speed' | 'geo', word: string): boolean {
  const factors = profile.factors?.[part]
  return factors !== undefined && Object.hasOwn(factors, word)
}

function factorOf(usage: NormalizedUsage, profile: ModelProfile): number {
  const factors = profile.factors
  const tier = usage.batch ? 'batch' : usage.tier
  const of = (part: 'tier' | 'speed' | 'geo', word: string | undefined) =>
    word === undefined ? 1 : (factors?.[part][word] ?? 1)
  return of('tier', tier) * of('speed', usage.speed) * of('geo', usage.geo)
}
