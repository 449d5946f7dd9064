import type { ProfileOverrides } from '../models/model-profile.ts'
import type { NormalizedUsage } from '../usage/normalized-usage.ts'

/** A request of the Messages API, as far as the planner looks at it. */
export interface AnthropicLike {
  readonly model: string
  readonly system?: unknown
  readonly tools?: readonly unknown[] | null
  readonly messages: readonly unknown[]
}

/** What is known of a request beforehand. All of it is optional: what is not said is learnt. */
export interface PlanHint {
  kind?: 'chat' | 'template' | 'agent' | 'auto'
  /** The last part that is the same in all requests of the route. */
  staticUntil?: 'tools' | 'system' | { readonly message: number; readonly block: number }
  /** How often the prefix will be read again within its lifetime. */
  expectReuse?: number
  expectGapMs?: number
}

/** Input of `plan`. */
export interface PlanInput<R> {
  request: R
  provider?: string
  /** Requests of one route share their static part. @default one per model */
  route?: string
  /** A conversation: its requests extend each other. Found out by itself where it is not given. */
  thread?: string
  /** Whose prefixes they are: those of one tenant say nothing about another's. @default shared */
  tenant?: string
  /** Instant of the clock. */
  now?: number
  hint?: PlanHint
}

/** Where the provider is asked to cache. */
export interface Breakpoint {
  /** JSON pointer (RFC 6901) into the request. */
  readonly path: string
  /** Of the prefix up to here, estimated. */
  readonly tokens: number
  readonly ttl: '5m' | '1h' | '30m'
  readonly reason: 'static' | 'divergence' | 'tail' | 'known' | 'client' | 'hint'
  /** In input tokens: what it is expected to save, less what it costs. */
  readonly expectedSaving: number
}

/** Something in a request that makes its cached prefix useless, and what to do about it. */
export interface PrefixWarning {
  readonly code:
    | 'VOLATILE_TEXT'
    | 'TOOL_ORDER_CHURN'
    | 'KEY_ORDER_CHURN'
    | 'TOOLS_CHANGED'
    | 'TOOL_CHOICE_FLAPPING'
    | 'THINKING_FLAPPING'
    | 'IMAGES_TOGGLED'
    | 'MODEL_SWITCH'
    | 'BELOW_MINIMUM'
    | 'LOOKBACK_OVERFLOW'
    | 'WRITE_NEVER_READ'
    | 'TTL_TOO_SHORT'
    | 'MARKER_ON_VOLATILE'
    | 'UNKNOWN_MODEL'
  /** JSON pointer (RFC 6901) of the part that is at fault. */
  readonly path: string
  /** Kind of what was found there, e.g. `date-time`; never the text itself. */
  readonly sample?: string
  /** What to do. */
  readonly fix: string
}

/** What `plan` gives. */
export interface Plan<R> {
  /** The request with its markers; the rest of it is untouched, and shared with the one given. */
  readonly request: R
  readonly breakpoints: readonly Breakpoint[]
  /** Tokens and, as multiples of an input token, costs. */
  readonly expected: {
    readonly read: number
    /** For the short lifetime of the provider: five minutes, with OpenAI thirty. */
    readonly write5m: number
    readonly write1h: number
    readonly input: number
    readonly cost: number
    /** Without caching. */
    readonly baseline: number
  }
  readonly warnings: readonly PrefixWarning[]
  /** Of the deepest prefix that others share and that this request writes or reads. */
  readonly prefixId: string
  /** Of the whole prompt. */
  readonly tailId: string
  /** Of `prefixId`. */
  readonly prefixTokens: number
  /** It was written or read lately, and can be expected to be there. */
  readonly prefixIsWarm: boolean
}

/** What the planner has found out about a route. */
export interface PlannerReport {
  readonly route: string
  readonly requests: number
  /** JSON pointer of the last part that all requests share, and how many tokens lead up to it. */
  readonly staticUntil: string | undefined
  readonly staticTokens: number
  /** Share of requests that were extended by a later one. */
  readonly extendedShare: number
  /** Tokens that were expected to be read, and were read. */
  readonly expectedRead: number
  readonly actualRead: number
  /** Hits that were expected and did not come. */
  readonly unexplainedMisses: number
  readonly warnings: readonly PrefixWarning[]
}

/** Places markers so that the prompt cache of the provider costs least. */
export interface PrefixPlanner {
  plan<R extends AnthropicLike>(input: PlanInput<R>): Plan<R>
  /** What the answer said: makes the next plans better. */
  observe(
    plan: Plan<unknown>,
    usage: NormalizedUsage,
    times: { readonly startedAt: number; readonly firstByteAt?: number },
  ): void
  explain(route?: string): PlannerReport
  snapshot(): Uint8Array
  restore(snapshot: Uint8Array): void
}

/** Options of `createPrefixPlanner`. */
export interface PrefixPlannerOptions {
  profiles?: ProfileOverrides
  /** @default bytes of UTF-8 divided by four, corrected by what answers have said */
  estimateTokens?: (block: unknown, model: string) => number
  /** Prefixes that are remembered; the least recently used go first. @default 50_000 */
  maxNodes?: number
  /**
   * `'optimise'` adds markers beside those of the client; `'respect'` leaves a request that has any
   * alone; `'observe'` only learns and warns.
   * @default 'optimise'
   */
  mode?: 'optimise' | 'respect' | 'observe'
  /**
   * `'pin'` sends the tools as they were first seen, where they are the same but for the order of their
   * members or themselves; `'sort'` by name.
   * @default 'preserve'
   */
  tools?: 'preserve' | 'sort' | 'pin'
  clock?: import('../../contracts/clock.ts').Clock
}
