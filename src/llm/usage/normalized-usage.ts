/** Lifetime of what a provider keeps of a prompt. */
export type CacheTtl = '5m' | '1h' | '30m' | '12h'

/** The tokens of one call, told alike for all providers. */
export interface NormalizedUsage {
  readonly provider: string
  /** As the answer names it. */
  readonly model: string
  /** The whole prompt: `inputUncached + cacheRead + the sum of cacheWrite`. */
  readonly inputTotal: number
  /** Billed at the price of input. */
  readonly inputUncached: number
  /** Read from the provider's cache. */
  readonly cacheRead: number
  /** Written to the provider's cache, by lifetime. */
  readonly cacheWrite: Readonly<Partial<Record<CacheTtl, number>>>
  /** With thoughts. */
  readonly output: number
  /** Part of `output`. */
  readonly reasoning?: number
  readonly tier?: string
  readonly batch?: boolean
  readonly geo?: string
  readonly speed?: string
  /** Work of the same call that is not in the totals and may be of another model. */
  readonly extra?: readonly NormalizedUsage[]
  /** As the provider told it. */
  readonly raw: unknown
}
