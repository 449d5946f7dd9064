import type { Clock } from '../../contracts/clock.ts'
import type { LlmCallKey, LlmCallReport } from '../../contracts/llm-layer.ts'
import type { CacheVerdict } from '../verdict/verdict.ts'

/** What a call needs of whoever makes it. `LlmLoad` has both. */
export interface LlmCallContext {
  readonly clock: Clock
  /** What the request was looked up by; an answer to a request that has changed since is not stored. */
  readonly key?: string
  /** Ends the wait at the gate. It does not end `send`: that is for the caller to do. */
  readonly signal: AbortSignal
}

/** What came of a call. */
export interface LlmSettlement {
  /** Whether the answer may be stored. */
  readonly verdict: CacheVerdict
  /** Tags of entries that are stale from now on. */
  readonly expire: readonly string[]
  readonly report: LlmCallReport
}

/**
 * One call of a provider, for whoever sends it: `call` of the layer for whole answers, `cachedStream`
 * for streams.
 *
 * ```ts
 * const call = layer.begin(args, load)
 * const final = await call.run(async (args, onFirstByte) => {
 *   for await (const item of await fn(...args)) { onFirstByte(); share(item) }
 *   return accumulated
 * })
 * const { verdict, expire, report } = await call.settle(final)
 * ```
 */
export interface LlmCall {
  /** The arguments as they had best be sent: the request is planned, the others are those given. */
  readonly args: readonly unknown[]
  /**
   * Waits for the gate, then sends. The promise of `send` ends with the end of the answer, for a stream
   * with its last item: what it rejects with is passed on and counted. Once per call.
   * @throws ERR_ABORTED when the signal is aborted while it waits; `send` is not called then
   */
  run<T>(
    send: (args: readonly unknown[], onFirstByte: () => void) => PromiseLike<T> | T,
  ): Promise<T>
  /**
   * After `run`: reads the usage, teaches the planner, counts tokens and money, judges. Never rejects.
   * @param final the whole answer; of a stream, what its items add up to
   */
  settle(final: unknown): Promise<LlmSettlement>
}

/** What `cachedStream` and the middleware use of `promptCache()` besides its public members. */
export interface LlmCalls {
  /** @throws ERR_UNCACHEABLE_KEY for what is no request */
  keyOf(args: readonly unknown[]): LlmCallKey
  begin(args: readonly unknown[], context: LlmCallContext): LlmCall
}
