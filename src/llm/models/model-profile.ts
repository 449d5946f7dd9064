import type { CacheTtl } from '../usage/normalized-usage.ts'

/** What is known of a model: the rules of its provider's prompt cache, and its prices. */
export interface ModelProfile {
  /** Name, or beginning of the names, of the model: dated names and aliases of it are found too. */
  readonly id: string
  readonly provider: string
  /** Every name that goes on after `id` with a hyphen is meant too, not only dated forms of it. */
  readonly family?: boolean
  /** The least tokens of a prefix that is cached; `null`: nobody has said. */
  readonly minTokens: number | null
  readonly maxBreakpoints: number
  /** How many positions a look-up goes back from a breakpoint, itself included. */
  readonly lookback: number
  /** What a token written to the cache costs, by lifetime, as a multiple of an input token. */
  readonly write: Readonly<Partial<Record<CacheTtl, number>>>
  /** What a token read from the cache costs, as a multiple of an input token. */
  readonly read: number
  /** Dollars per million tokens; absent: the price is not known, and no sum is made. */
  readonly price?: { readonly input: number; readonly output: number }
  /** Beyond so many tokens of prompt other prices hold, for the whole call. */
  readonly longPrompt?: {
    readonly over: number
    readonly input: number
    readonly output: number
  }
  /** Factors on all prices of a call. What a call says of itself and is not named here has no known price. */
  readonly factors?: {
    readonly tier: Readonly<Record<string, number>>
    readonly speed: Readonly<Record<string, number>>
    readonly geo: Readonly<Record<string, number>>
  }
  /** What is lost of a cached prompt when thinking or effort change. */
  readonly thinkingTier: 'messages' | 'all' | 'unknown'
  /** OpenAI: whether breakpoints can be set, and writes cost. */
  readonly explicitBreakpoints?: boolean
  /** The day these figures were looked up, `YYYY-MM-DD`. */
  readonly asOf: string
  /** Where they were found. */
  readonly source: string
}

/** Profiles by `provider/id`. */
export type ModelProfiles = Readonly<Record<string, ModelProfile>>

/** Changes to the built-in table, by `provider/id`: members given replace those of the table. */
export type ProfileOverrides = Readonly<Record<string, Partial<ModelProfile>>>
