import type { Clock } from './clock.ts'

/** How a call of an LLM is looked up. */
export interface LlmCallKey {
  /** Part of the keys of the function; unequal for any two requests whose answers may differ. */
  readonly key: string
  /** Tags of the entry, without the prefix of the cache. */
  readonly tags: readonly string[]
  /** Why this call is answered by its provider only, and by no level of the cache. */
  readonly bypass: string | undefined
}

/** What one answer of the provider has cost, for `stats()` and metrics. */
export interface LlmCallReport {
  readonly provider: string
  readonly model: string
  /** Whether the provider's own cache was read from; `undefined` where the answer says nothing. */
  readonly l3: 'hit' | 'miss' | undefined
  readonly tokens: Readonly<Record<string, number>>
  /** In dollars; `undefined` where the price of the model is not known. */
  readonly cost: { readonly actual: number; readonly uncached: number } | undefined
  readonly durationMs: number
  /** Why the answer was not stored; `undefined`: it may be. */
  readonly skipped: string | undefined
}

/** What a layer may do about one load, and needs of it. */
export interface LlmLoad {
  readonly clock: Clock
  /** What the request was looked up by: when it has changed since, its answer is not that key's. */
  readonly key?: string
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
  /** The answer goes to the callers and is not stored. */
  skip(): void
  setTtl(ms: number): void
  /** Entries with these tags are stale from now on. */
  expire(tags: readonly string[]): void
  report(report: LlmCallReport): void
}

/** Marks what `promptCache()` of `./llm` makes, in every copy of the package. */
export const LLM_LAYER: unique symbol = Symbol.for('@org/resilient-cache/llm-layer') as never

/**
 * What the option `llm` of a cached function brings: how requests are told apart, how they are sent, and
 * what of the answers is kept. The cache itself knows no provider.
 */
export interface LlmLayer {
  readonly [LLM_LAYER]: true
  /** @throws ERR_UNCACHEABLE_KEY for what is no request */
  keyOf(args: readonly unknown[]): LlmCallKey
  /** Keys of all answers that are kept to one request, where that may be several. @default that of `keyOf` */
  keysOf?(args: readonly unknown[]): readonly string[]
  /** Calls the origin, with the request as it had best be sent, and judges what it brings. */
  call(
    args: readonly unknown[],
    send: (args: readonly unknown[]) => unknown,
    load: LlmLoad,
  ): Promise<unknown>
  /**
   * A copy of an answer that is known to have been paid for before. By its identity: codecs refuse
   * members that are named by symbols.
   */
  mark(value: unknown): unknown
}

export function isLlmLayer(value: unknown): value is LlmLayer {
  return typeof value === 'object' && value !== null && LLM_LAYER in value
}
