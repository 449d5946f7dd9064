export type { LlmCallKey, LlmCallReport, LlmLayer, LlmLoad } from './contracts/llm-layer.ts'
export type { GateStats } from './llm/gate/gate-stats.ts'
export type { GateCall, PrefixGate, PrefixGateOptions } from './llm/gate/prefix-gate.ts'
export { createPrefixGate } from './llm/gate/prefix-gate.ts'
export { llmKey } from './llm/key/llm-key.ts'
export type { BypassReason, LlmKey, LlmKeyOptions, Tenant } from './llm/key/llm-key-options.ts'
export { type PromptCacheKeyOptions, promptCacheKey } from './llm/key/prompt-cache-key.ts'
export {
  type PromptCacheMiddleware,
  type PromptCacheMiddlewareOptions,
  promptCacheMiddleware,
} from './llm/middleware/prompt-cache-middleware.ts'
export type {
  ModelProfile,
  ModelProfiles,
  ProfileOverrides,
} from './llm/models/model-profile.ts'
export { createPrefixPlanner } from './llm/planner/create-prefix-planner.ts'
export type {
  AnthropicLike,
  Breakpoint,
  Plan,
  PlanHint,
  PlanInput,
  PlannerReport,
  PrefixPlanner,
  PrefixPlannerOptions,
  PrefixWarning,
} from './llm/planner/plan.ts'
export { isCachedAnswer } from './llm/prompt-cache/cached-answer.ts'
export type { LayerPart, PromptCacheEvents } from './llm/prompt-cache/layer-parts.ts'
export type { PromptCacheStats, TokenClass } from './llm/prompt-cache/llm-accounts.ts'
export { type PromptCache, promptCache } from './llm/prompt-cache/prompt-cache.ts'
export type { PromptCacheOptions } from './llm/prompt-cache/prompt-cache-options.ts'
export {
  type CachedStreamFunction,
  cachedStream,
  type StreamContext,
  type StreamResult,
} from './llm/stream/cached-stream.ts'
export type { StreamEnd } from './llm/stream/shared-streams.ts'
export type { CachedStreamOptions, Pacing } from './llm/stream/stream-options.ts'
export type { SharedStream, StreamSource } from './llm/stream/stream-reader.ts'
export type { OnAbandon } from './llm/stream/stream-session.ts'
export { normalizeUsage } from './llm/usage/normalize-usage.ts'
export type { CacheTtl, NormalizedUsage } from './llm/usage/normalized-usage.ts'
export { priceUsage, type UnknownPrice, type UsagePrice } from './llm/usage/price-usage.ts'
export type { CacheVerdict } from './llm/verdict/verdict.ts'
