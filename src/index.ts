export type { BreakerEngine, OpenBreaker } from './contracts/breaker-engine.ts'
export type { Clock, Timer } from './contracts/clock.ts'
export type { Codec, StandardSchema } from './contracts/codec.ts'
export type { ForeignLimiter, Runner, RunOptions } from './contracts/runner.ts'
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
export type { CacheEvents } from './read-path/cache-events.ts'
export type { Durability } from './read-path/invalidate.ts'
export type { OutcomeKind, Source } from './read-path/outcome.ts'
export type { LoadContext } from './read-path/policy.ts'
export { type MemoryStore, memory } from './stores/memory-store.ts'
