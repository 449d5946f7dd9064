import type { Codec, StandardSchema } from '../contracts/codec.ts'
import type { LoadGuard } from '../contracts/load-guard.ts'

/** What a load may say about its own result. It comes before the arguments with `context: true`. */
export interface LoadContext<V = unknown> {
  /** Aborted when nobody waits any more, at `hardTimeout` and when the cache closes. */
  readonly signal: AbortSignal
  /** The stale value that would be served otherwise, for conditional requests. */
  readonly stale: V | undefined
  /** Overrides the ttl of this result. */
  setTtl(ttl: import('../kernel/duration.ts').Duration): void
  /** Adds tags to those declared. */
  setTags(tags: readonly string[]): void
  /** The result goes to the callers and is not stored. */
  skip(): void
}

/** The options of a cached function, validated, with defaults, in milliseconds. */
export interface Policy {
  /** Milliseconds, or a function of the value that gives a duration. */
  readonly ttl: number | ((value: unknown) => unknown)
  readonly graceMs: number
  readonly softTimeoutMs: number
  readonly hardTimeoutMs: number
  readonly completeInBackground: boolean
  readonly graceBackoffMs: number
  readonly jitter: number
  /** Share of the ttl after which a read starts a refresh for certain; 0 switches it off. */
  readonly refreshAhead: number
  readonly tags: ((...args: never[]) => readonly string[]) | undefined
  readonly cacheIf: ((value: unknown) => boolean) | undefined
  readonly negativeTtlMs: number | undefined
  readonly errorTtlMs: number
  readonly useL1: boolean
  readonly useL2: boolean
  readonly guard: LoadGuard | undefined
  readonly schema: StandardSchema | undefined
  readonly codec: Codec
  readonly manyOrigin: ((...args: never[]) => unknown) | undefined
  readonly strict: boolean
  readonly context: boolean
  /** Makes of a value what is kept of it, so that it shows where it came from. */
  readonly mark: ((value: unknown) => unknown) | undefined
}
