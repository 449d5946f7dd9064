export {
  type FetchDispatcher,
  type HttpPool,
  type HttpPoolStats,
  httpPool,
} from './adapters/undici/http-pool.ts'
export type { HttpPoolOptions } from './adapters/undici/pool-options.ts'
export type { BatchContext } from './batching/batch-source.ts'
export { DataLoader } from './batching/data-loader.ts'
export type {
  DataLoaderBatchFunction,
  DataLoaderCacheMap,
  DataLoaderOptions,
} from './batching/data-loader-options.ts'
export { type BatchFunction, loader } from './batching/loader.ts'
export type {
  BatchEvent,
  Loader,
  LoaderEvents,
  LoaderStats,
  LoadOptions,
} from './batching/loader-api.ts'
export type {
  LoaderCache,
  LoaderOptions,
  LoaderStore,
  MapOptions,
  MissingValue,
  RowOptions,
} from './batching/loader-options.ts'
export type { NPlusOne } from './batching/n-plus-one.ts'
export { requestScope } from './batching/request-scope.ts'
export type { StoredFunction } from './batching/stored-source.ts'
export { background } from './concurrency/background.ts'
export type { DrainResult } from './concurrency/background-drain.ts'
export type { BackgroundOptions, Overflow } from './concurrency/background-options.ts'
export type {
  Background,
  BackgroundEvents,
  BackgroundStats,
} from './concurrency/background-surface.ts'
export type {
  TaskFunction,
  TaskHandle,
  TaskInfo,
  TaskOptions,
} from './concurrency/background-task.ts'
export {
  type Lazy,
  type LazyEvents,
  type LazyOptions,
  type LazyStats,
  lazy,
} from './concurrency/lazy.ts'
export type { GraphNodes } from './concurrency/parallel/graph-types.ts'
export type { ParallelOptions, Progress } from './concurrency/parallel/options.ts'
export { type ParallelForms, parallel } from './concurrency/parallel/parallel.ts'
export type {
  SettledTask,
  SettledTasks,
  Task,
  TaskResult,
  TaskResults,
  TaskSpec,
} from './concurrency/parallel/task.ts'
export type { BreakerEngine, OpenBreaker } from './contracts/breaker-engine.ts'
export type { Clock, Timer } from './contracts/clock.ts'
export type { Codec, StandardSchema } from './contracts/codec.ts'
export type { LlmCallKey, LlmCallReport, LlmLayer, LlmLoad } from './contracts/llm-layer.ts'
export type { FailedCall } from './contracts/load-guard.ts'
export type {
  Admission,
  BreakerGate,
  Permit,
  PermitSource,
  Refusal,
} from './contracts/permit.ts'
export type { Cost, ForeignLimiter, Runner, RunOptions } from './contracts/runner.ts'
export type {
  BusMessage,
  Coherence,
  Failure,
  Fence,
  FruitlessLoads,
  KnownVersions,
  LeaseRequest,
  LoadEnd,
  Position,
  ReadReply,
  ReadRequest,
  Stamp,
  StampMode,
  Store,
  StoreContext,
  StoredRecord,
  StoreSession,
  StoreSource,
  StoreState,
  StoreSupport,
  WriteReply,
  WriteRequest,
} from './contracts/store.ts'
export { Cache } from './facade/cache.ts'
export type { CachedFunction, CallSettings } from './facade/cached-function.ts'
export { createCache } from './facade/create-cache.ts'
export type { CachedDecorator, ContextDecorator } from './facade/decorator-shape.ts'
export { cached, configureCache, defaultCache } from './facade/default-cache.ts'
export type {
  CacheObserver,
  CacheOptions,
  CompressionOptions,
  ContextOptions,
  DecoratorOptions,
  FreshnessOptions,
  FunctionOptions,
  GetOrSetOptions,
  L1Options,
  ManyValues,
  NamespaceOptions,
  SetOptions,
} from './facade/options.ts'
export type {
  CacheHealth,
  CacheStats,
  Detail,
  Explanation,
  LevelExplanation,
  PeekedEntry,
  Settled,
  WarmResult,
} from './facade/results.ts'
export type { ByteSize } from './kernel/byte-size.ts'
export type { Duration } from './kernel/duration.ts'
export { type ErrorCode, isResilienceError, ResilienceError } from './kernel/errors.ts'
export type { Sharing } from './l1/sharing.ts'
export type { GateState } from './l2/gate.ts'
export type { RemoteHealth } from './l2/store-status.ts'
export type { BreakerEvents, BreakerStats } from './policies/breaker/breaker-events.ts'
export type {
  BreakerWindow,
  CircuitBreakerOptions,
  CircuitBreakersOptions,
  HalfOpenOptions,
} from './policies/breaker/breaker-options.ts'
export { type CircuitBreaker, circuitBreaker } from './policies/breaker/circuit-breaker.ts'
export { type CircuitBreakers, circuitBreakers } from './policies/breaker/circuit-breakers.ts'
export type { BreakerSnapshot, BreakerState } from './policies/breaker/snapshot.ts'
export type { CallOutcome, Verdict } from './policies/breaker/verdict.ts'
export { type Bulkhead, bulkhead, type Semaphore, semaphore } from './policies/bulkhead/bulkhead.ts'
export type { BulkheadOptions } from './policies/bulkhead/bulkhead-options.ts'
export type { BulkheadEvents, BulkheadStats } from './policies/bulkhead/slots.ts'
export { type Composed, compose } from './policies/compose/compose.ts'
export {
  type FallbackOptions,
  type FallbackRunner,
  fallback,
} from './policies/fallback/fallback.ts'
export type { FallbackValue } from './policies/fallback/fallback-rule.ts'
export { type Guard, guard } from './policies/guard/guard.ts'
export type { GuardEvents, GuardStats } from './policies/guard/guard-events.ts'
export type { Gate, GuardOptions } from './policies/guard/guard-options.ts'
export type { Policy } from './policies/guard/run-plan.ts'
export { type Hedge, type HedgeOptions, hedge } from './policies/hedge/hedge.ts'
export type { HedgeRules } from './policies/hedge/hedge-rule.ts'
export {
  type ConcurrencyLimit,
  concurrency,
  type Limit,
  perMinute,
  perSecond,
  type RateLimit,
  type RateOptions,
} from './policies/rate/limit.ts'
export type { RejectReason } from './policies/rate/limiter-errors.ts'
export type { RateLimiterEvents } from './policies/rate/limiter-events.ts'
export type {
  DistributedOptions,
  LimiterQueueOptions,
  RateLimiterOptions,
} from './policies/rate/limiter-options.ts'
export type { HeadersLike } from './policies/rate/provider-headers.ts'
export {
  type RateLimiter,
  type RateLimiterStats,
  rateLimiter,
} from './policies/rate/rate-limiter.ts'
export type { LimiterRedis } from './policies/rate/redis-calls.ts'
export type { SharedStats } from './policies/rate/shared-budget.ts'
export { type Retry, retry } from './policies/retry/retry.ts'
export type { BackoffOptions, RetryOptions, RetryRules } from './policies/retry/retry-options.ts'
export { type Timeout, type TimeoutOptions, timeout } from './policies/timeout/timeout.ts'
export type { TimeoutRules } from './policies/timeout/timeout-rule.ts'
export type { CacheEvents } from './read-path/cache-events.ts'
export type { Durability } from './read-path/invalidate.ts'
export type { OutcomeKind, Source } from './read-path/outcome.ts'
export type { LoadContext } from './read-path/policy.ts'
export { type MemoryStore, memory } from './stores/memory-store.ts'
