import {
  LLM_LAYER,
  type LlmCallKey,
  type LlmLayer,
  type LlmLoad,
} from '../../contracts/llm-layer.ts'
import { invalidOption } from '../../kernel/options.ts'
import type { PlannerReport, PrefixPlanner } from '../planner/plan.ts'
import { markCached } from './cached-answer.ts'
import { LayerCall } from './layer-call.ts'
import { LayerParts, type PromptCacheEvents } from './layer-parts.ts'
import type { PromptCacheStats } from './llm-accounts.ts'
import type { LlmCallContext, LlmCalls } from './llm-call.ts'
import { textOfOtherArguments } from './other-arguments.ts'
import { checkPromptCacheOptions, type PromptCacheOptions } from './prompt-cache-options.ts'

/** What `promptCache()` makes, for the option `llm` of a cached function. */
export interface PromptCache extends LlmLayer, LlmCalls {
  /** `undefined` with `planner: false`, and for providers whose requests are not planned. */
  readonly planner: PrefixPlanner | undefined
  /** What the planner has found out about a route: why the provider's cache is hit or missed. */
  explain(route?: string): PlannerReport | undefined
  stats(): PromptCacheStats
  /** @returns a function that stops listening */
  on<N extends keyof PromptCacheEvents>(
    event: N,
    listener: (event: PromptCacheEvents[N]) => unknown,
  ): () => void
}

const WHERE = 'promptCache()'

/**
 * Caches calls of an LLM: equal requests of one tenant cost one call, and what has to be asked is asked
 * so that the provider's own prompt cache makes it cheap.
 *
 * The first argument of the function is the request; every other is part of the key, but for what only
 * says how to send it (`signal`, `timeout`, `maxRetries` and `idempotencyKey` of the second one). On a
 * miss the request is planned, calls that begin alike wait for the first of them, the usage is read and
 * priced, and the answer is judged: only one that ended well is stored. Nothing that fails here costs
 * the caller an answer of the provider; it is counted in `stats().errors`.
 *
 * A function that returns a stream throws `ERR_INVALID_OPTION`: take `cachedStream` for it.
 *
 * @example
 * ```ts
 * const ask = cached((request) => client.messages.create(request), {
 *   name: 'ask',
 *   ttl: '1d',
 *   llm: promptCache({ provider: 'anthropic', tenant: 'acme' }),
 * })
 * ```
 *
 * @throws ERR_INVALID_OPTION
 */
export function promptCache(options: PromptCacheOptions): PromptCache {
  checkPromptCacheOptions(options, WHERE)
  return new PromptCacheLayer(new LayerParts({ ...options }, WHERE))
}

class PromptCacheLayer implements PromptCache {
  readonly [LLM_LAYER] = true
  readonly #parts: LayerParts

  constructor(parts: LayerParts) {
    this.#parts = parts
  }

  get planner(): PrefixPlanner | undefined {
    return this.#parts.planner
  }

  keyOf(args: readonly unknown[]): LlmCallKey {
    const keyer = this.#parts.keyers.for(this.#parts.tenantOf(args))
    const { key, tags, bypass } = keyer(args[0], textOfOtherArguments(args))
    return { key, tags, bypass }
  }

  keysOf(args: readonly unknown[]): readonly string[] {
    return this.#parts.keysOf(args)
  }

  begin(args: readonly unknown[], context: LlmCallContext): LayerCall {
    const key = this.#parts.attempt('key', () => this.keyOf(args))
    return new LayerCall(this.#parts, args, key, context)
  }

  async call(
    args: readonly unknown[],
    send: (args: readonly unknown[]) => unknown,
    load: LlmLoad,
  ): Promise<unknown> {
    const call = this.begin(args, load)
    const answer = await call.run(async (sent) => wholeAnswer(await send(sent)))
    const { verdict, expire, report } = await call.settle(answer)
    if (expire.length > 0) load.expire(expire)
    if (verdict.action === 'skip') load.skip()
    else if (verdict.ttlMs !== undefined) load.setTtl(verdict.ttlMs)
    load.report(report)
    return answer
  }

  mark(value: unknown): unknown {
    return markCached(value)
  }

  explain(route?: string): PlannerReport | undefined {
    return this.#parts.planner?.explain(route)
  }

  stats(): PromptCacheStats {
    return this.#parts.accounts.stats()
  }

  on<N extends keyof PromptCacheEvents>(
    event: N,
    listener: (event: PromptCacheEvents[N]) => unknown,
  ): () => void {
    return this.#parts.events.on(event, listener)
  }
}

/** @throws ERR_INVALID_OPTION for a stream: who gets it from the cache could not read it again */
function wholeAnswer(answer: unknown): unknown {
  if (typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer) {
    throw invalidOption(
      'a function with the option llm must return whole answers, and this one returned a stream; wrap it by cachedStream(fn, { llm }) of @org/resilient-cache/llm',
    )
  }
  return answer
}
