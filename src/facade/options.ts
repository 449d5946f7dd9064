import type { Clock } from '../contracts/clock.ts'
import type { Codec, StandardSchema } from '../contracts/codec.ts'
import type { LlmLayer } from '../contracts/llm-layer.ts'
import type { ForeignLimiter, Runner } from '../contracts/runner.ts'
import type { Store } from '../contracts/store.ts'
import type { ByteSize } from '../kernel/byte-size.ts'
import type { Duration } from '../kernel/duration.ts'
import type { Sharing } from '../l1/sharing.ts'
import type { GuardOptions } from '../policies/guard/guard-options.ts'
import type { LoadContext } from '../read-path/policy.ts'

/** How fresh values have to be, and what happens when the origin is slow or fails. */
export interface FreshnessOptions {
  /**
   * How long a value is fresh. Required here or in the cache. In a cached function also a function
   * of the value.
   */
  ttl?: Duration
  /**
   * How long after `ttl` a stale value may still be served: while a refresh runs, when the origin is
   * slow, when it fails.
   * @default 0
   */
  grace?: Duration
  /**
   * How long a caller waits for a fresh value when a stale one is at hand; 0 serves it at once.
   * @default 0
   */
  softTimeout?: Duration
  /**
   * When a caller's wait ends whatever happens: with the stale value, else `ERR_TIMEOUT`. It also
   * aborts the origin's signal, unless `completeInBackground`.
   * @default '30s'
   */
  hardTimeout?: Duration
  /** Lets the origin go on after `hardTimeout`, and stores what it brings. @default false */
  completeInBackground?: boolean
  /** After a failure of the origin: when it is tried again, while a stale value is served. @default '5s' */
  graceBackoff?: Duration
  /** Shortens each ttl by up to this share, so that entries made together do not end together. @default 0.1 */
  jitter?: number
  /**
   * Share of the ttl after which a read starts a refresh for certain; before that XFetch may start
   * one, in the last quarter. `false` switches both off.
   * @default 0.9
   */
  refreshAhead?: number | false
  /** The ttl of `null` and `undefined`. @default the ttl of any other value */
  negativeTtl?: Duration
  /** How long an error of the origin is handed out again without calling it; L1 only. @default 0 */
  errorTtl?: Duration
  /**
   * Whether `set`, `delete`, `invalidate` and `clear` reject with `ERR_L2_UNAVAILABLE` when L2 did
   * not acknowledge, instead of resolving to `{ durable: false }`.
   * @default false
   */
  strict?: boolean
}

/** Options of one cached function. */
export interface FunctionOptions<A extends readonly unknown[] = never[], V = unknown>
  extends Omit<FreshnessOptions, 'ttl'> {
  /** Part of the key in L2 and label in metrics. Required with an L2; unique in its cache. */
  name?: string
  ttl?: Duration | ((value: V) => Duration)
  /** The key of a call, where its arguments are not what tells calls apart. Anything a key may be. */
  key?: (...args: A) => unknown
  /** Change it when the shape of the values changes: older entries are then not found. */
  version?: string | number
  /** Tags of a call's entry, for `invalidateTag` and `expireTag`. */
  tags?: (...args: A) => readonly string[]
  /** Whether a value is stored; it is returned in any case. */
  cacheIf?: (value: V) => boolean
  /** `false` skips L1. */
  l1?: boolean
  /** `false` skips L2. */
  l2?: boolean
  /**
   * Runs around the origin, never around hits: a `guard()`, its options, any other of our Runners, or
   * any limiter such as `pLimit(5)`. What is stale is served before its fallback is asked.
   */
  guard?: Runner | ForeignLimiter | GuardOptions
  /**
   * `promptCache()` of `./llm`: the first argument is a request to an LLM. It makes the key, is sent so
   * that the provider's own cache helps most, and of the answers only what is good for all is stored.
   * With it there is no `hardTimeout` and no `refreshAhead` where none is given.
   */
  llm?: LlmLayer
  /** Checks values that come from L2 (https://standardschema.dev); what fails is a miss. */
  schema?: StandardSchema
  /** How values become bytes in L2. @default a codec that keeps Date, Map, Set, BigInt, Buffer … */
  codec?: Codec<V>
  /** Loads the missing ones of `many` at once: values in order; an Error fails its own key. */
  manyOrigin?(argumentLists: A[]): ManyValues<V>
  /** `true` puts a `LoadContext` before the arguments of the origin, see {@link ContextOptions}. */
  context?: false
}

/** What `manyOrigin` returns: one value per argument list, in their order. */
export type ManyValues<V> = ReadonlyArray<V | Error> | PromiseLike<ReadonlyArray<V | Error>>

/** Options of a function whose origin takes a `LoadContext` before its arguments. */
export interface ContextOptions<A extends readonly unknown[], V>
  extends Omit<FunctionOptions<A, V>, 'context' | 'manyOrigin'> {
  context: true
  manyOrigin?(context: LoadContext<V>, argumentLists: A[]): ManyValues<V>
}

/** Options of a decorator: what it is put on is not known yet, so callbacks declare their types. */
export interface DecoratorOptions
  extends Omit<FunctionOptions<never[], never>, 'codec' | 'manyOrigin' | 'context'> {
  // biome-ignore lint/suspicious/noExplicitAny: of whatever the method returns
  codec?: Codec<any>
  manyOrigin?: (...args: never[]) => ManyValues<unknown>
  /** Puts a `LoadContext` before the arguments of the origin. @default false */
  context?: boolean
  /**
   * Who shares the entries of a method. `'instance'`: nobody. `'class'`: all instances, those of
   * subclasses too. A function gives a name, e.g. of the tenant; it is part of the key. Required with
   * an L2.
   * @default 'instance'
   */
  scope?: 'instance' | 'class' | ((self: never) => string)
}

/** `A`, but nothing is inferred from it: the origin alone says what the arguments are. */
export type Fixed<A extends readonly unknown[]> = [A][A extends unknown ? 0 : never]

/** Options of `getOrSet`: those of a cached function that make sense for one key. */
export interface GetOrSetOptions<V = unknown>
  extends Omit<
    FunctionOptions<[], V>,
    'name' | 'key' | 'version' | 'manyOrigin' | 'tags' | 'context' | 'guard'
  > {
  tags?: readonly string[]
  /** Made once, outside of the call: a `guard()`, another Runner, or a limiter such as `pLimit(5)`. */
  guard?: Runner | ForeignLimiter
  /** Ends this caller's wait; the load goes on for others. */
  signal?: AbortSignal
}

export interface SetOptions {
  ttl?: Duration
  tags?: readonly string[]
}

/** L1: entries in the memory of the process. */
export interface L1Options {
  /** @default 10_000 */
  maxEntries?: number
  /** Estimated size of the values. @default '64mb' */
  maxBytes?: ByteSize
  /**
   * How long a copy is served before it is compared with L2 again.
   * @default the ttl without an L2; '60s' with one; '5s' where its coherence is `ttl-only`
   */
  ttl?: Duration
  /**
   * `'share'`: callers get the stored object. `'freeze'`: it is frozen; what cannot be frozen is
   * copied. `'clone'`: every caller gets a copy.
   * @default 'share'
   */
  values?: Sharing
}

export interface CompressionOptions {
  /** `zstd` where this Node has it, else brotli. @default 'zstd' */
  algorithm?: 'gzip' | 'brotli' | 'zstd'
  /** Payloads from this size on. @default '16kb' */
  threshold?: ByteSize
}

/** Observes a cache; `prometheus()` of `./metrics` is one. */
export interface CacheObserver {
  observeCache(cache: unknown): void
}

/** Options of `createCache`. Those of freshness hold for every function that names no other. */
export interface CacheOptions extends FreshnessOptions {
  /** Namespace in L2, label in metrics. Required with an L2. @default 'default' */
  name?: string
  l1?: L1Options | false
  /** @default false */
  l2?: Store | false
  /** Of payloads in L2. @default false */
  compression?: CompressionOptions | false
  /** At most so many origin calls at a time. @default no cap; 100 while a configured L2 is lost */
  maxLoads?: number
  metrics?: CacheObserver
  clock?: Clock
  /** Uniform in [0, 1): give a seeded one for tests. */
  random?: () => number
}

/** Defaults of a namespace. */
export type NamespaceOptions = FreshnessOptions

export type { LoadContext }
