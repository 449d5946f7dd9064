import type { LlmCallReport } from '../../contracts/llm-layer.ts'
import type { NormalizedUsage } from '../usage/normalized-usage.ts'

/** Kinds of tokens by what they cost. */
export type TokenClass =
  | 'uncached'
  | 'read'
  | 'write_5m'
  | 'write_1h'
  | 'write_30m'
  | 'write_12h'
  | 'output'

/** What `stats()` of `promptCache()` gives: counts since it was made, and none of them ever falls. */
export interface PromptCacheStats {
  /** Of the provider: what was answered from the cache is not among them. */
  readonly calls: number
  /** Calls that were not answered. */
  readonly failures: number
  /** Answers for which the provider read from its cache. */
  readonly hits: { readonly l3: number }
  /** Answers for which it did not. */
  readonly misses: { readonly l3: number }
  readonly tokens: Readonly<Record<TokenClass, number>>
  /** In dollars: what was paid, and what it would have been without the provider's cache. */
  readonly costUsd: { readonly actual: number; readonly uncached: number }
  /** Answers that are not in `costUsd`, because their usage or their price is not known. */
  readonly unknownPrice: number
  /** Answers that were not stored, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  /** Calls whose answers are not cached at all, by reason. */
  readonly bypassed: Readonly<Record<string, number>>
  /** Of the layer itself, or of `validate`: none of them has cost anybody an answer. */
  readonly errors: number
}

/** The tokens of a call by class, with those of other models that worked for it. */
export function tokensOf(usage: NormalizedUsage): Partial<Record<TokenClass, number>> {
  const tokens: Partial<Record<TokenClass, number>> = {}
  const add = (name: TokenClass, count: number) => {
    if (count > 0) tokens[name] = (tokens[name] ?? 0) + count
  }
  for (const part of [usage, ...(usage.extra ?? [])]) {
    add('uncached', part.inputUncached)
    add('read', part.cacheRead)
    add('output', part.output)
    for (const [ttl, count] of Object.entries(part.cacheWrite)) {
      add(`write_${ttl}` as TokenClass, count)
    }
  }
  return tokens
}

/** The books of one layer. */
export class LlmAccounts {
  calls = 0
  failures = 0
  errors = 0
  readonly #l3 = { hit: 0, miss: 0 }
  readonly #tokens: Record<TokenClass, number> = {
    uncached: 0,
    read: 0,
    write_5m: 0,
    write_1h: 0,
    write_30m: 0,
    write_12h: 0,
    output: 0,
  }
  readonly #costUsd = { actual: 0, uncached: 0 }
  #unknownPrice = 0
  readonly #skipped = new Map<string, number>()
  readonly #bypassed = new Map<string, number>()

  add({ l3, tokens, cost }: LlmCallReport): void {
    if (l3 !== undefined) this.#l3[l3]++
    for (const [name, count] of Object.entries(tokens)) this.#tokens[name as TokenClass] += count
    if (cost === undefined) {
      this.#unknownPrice++
      return
    }
    this.#costUsd.actual += cost.actual
    this.#costUsd.uncached += cost.uncached
  }

  skipped(reason: string): void {
    countIn(this.#skipped, reason)
  }

  bypassed(reason: string): void {
    countIn(this.#bypassed, reason)
  }

  stats(): PromptCacheStats {
    return {
      calls: this.calls,
      failures: this.failures,
      hits: { l3: this.#l3.hit },
      misses: { l3: this.#l3.miss },
      tokens: { ...this.#tokens },
      costUsd: { ...this.#costUsd },
      unknownPrice: this.#unknownPrice,
      skipped: Object.fromEntries(this.#skipped),
      bypassed: Object.fromEntries(this.#bypassed),
      errors: this.errors,
    }
  }
}

function countIn(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1)
}
