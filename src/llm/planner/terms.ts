import type { ModelProfile } from '../models/model-profile.ts'
import type { CacheTtl } from '../usage/normalized-usage.ts'
import type { Terms } from './placement.ts'

const MINUTE_MS = 60_000

const TTL_MS: Readonly<Record<CacheTtl, number>> = {
  '5m': 5 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
  '12h': 720 * MINUTE_MS,
}

/** The lifetimes that a plan chooses from, and what they cost. */
export interface CacheTerms extends Terms {
  readonly shortTtl: '5m' | '30m'
}

/** @returns undefined where the profile knows of no price for writing: then there is nothing to plan */
export function termsOf(profile: ModelProfile, minTokens: number): CacheTerms | undefined {
  const { write, read, lookback, maxBreakpoints } = profile
  const shortTtl = shortTtlOf(profile)
  const writeShort = write[shortTtl]
  if (writeShort === undefined) return undefined
  const writeLong = shortTtl === '5m' ? write['1h'] : undefined
  const shortMs = TTL_MS[shortTtl]
  return {
    read,
    writeShort,
    writeLong: writeLong ?? Number.POSITIVE_INFINITY,
    shortMs,
    longMs: writeLong === undefined ? shortMs : TTL_MS['1h'],
    lookback,
    slots: maxBreakpoints,
    minTokens,
    shortTtl,
  }
}

export function shortTtlOf({ write }: ModelProfile): '5m' | '30m' {
  return write['5m'] === undefined && write['30m'] !== undefined ? '30m' : '5m'
}

/** By which uses are told apart where a provider has no lifetimes to choose from. */
export const TTL_OF_MESSAGES = { shortMs: TTL_MS['5m'], longMs: TTL_MS['1h'] } as const
