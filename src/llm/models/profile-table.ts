import type { ModelProfile } from './model-profile.ts'

// The only place of the library that holds prices, multipliers and minimums. Every entry says what it
// stands on: "docs" are the provider's own pages, "SDK" its type definitions, "second-hand" somebody
// who quotes the docs. What nobody has said is `null` or left out, never guessed.

const AS_OF = '2026-11-22'

const DOCS = 'docs: Anthropic prompt caching and pricing'
const SECOND_HAND = 'second-hand: public repositories that quote the Anthropic docs'
const NAME_ONLY = 'SDK: @anthropic-ai/sdk 1.12.0 names the model; no minimum and no price was found'

const CLAUDE = {
  provider: 'anthropic',
  maxBreakpoints: 4,
  lookback: 20,
  write: { '5m': 1.25, '1h': 2 },
  read: 0.1,
  factors: {
    tier: { standard: 1, batch: 0.5 },
    speed: { standard: 1 },
    geo: { global: 1, not_available: 1, us: 1.1 },
  },
  thinkingTier: 'unknown',
  asOf: AS_OF,
} as const

function claude(
  id: string,
  minTokens: number | null,
  source: string,
  more: Partial<ModelProfile> = {},
): ModelProfile {
  return { ...CLAUDE, id, minTokens, source, ...more }
}

const ANTHROPIC: readonly ModelProfile[] = [
  claude('claude-fable-5-2', null, NAME_ONLY),
  claude('claude-mythos-5-2', null, NAME_ONLY),
  claude('claude-haiku-5-5', null, `${SECOND_HAND}; nobody has said its minimum`, {
    price: { input: 0.1, output: 0.5 },
    longPrompt: { over: 100_000, input: 0.5, output: 2.5 },
  }),
  // Sources disagree on its price of a read (0.1 or 0.05): the dearer one promises less.
  claude('claude-sonnet-5-5', 512, `${DOCS}; ${SECOND_HAND}: read 0.1 or 0.05, unresolved`),
  claude('claude-fable-5-1', 512, DOCS, { read: 0.025, price: { input: 10, output: 50 } }),
  claude('claude-mythos-5-1', 512, DOCS, { read: 0.025 }),
  claude('claude-opus-5-5', 512, DOCS, { read: 0.05, price: { input: 4, output: 20 } }),
  claude('claude-fable-5', 512, DOCS),
  claude('claude-mythos-5', 512, DOCS),
  claude('claude-opus-5', 512, DOCS),
  claude('claude-sonnet-5', 1024, DOCS, { price: { input: 2, output: 10 } }),
  claude('claude-opus-4-8', 1024, DOCS),
  claude('claude-sonnet-4-6', 1024, DOCS),
  claude('claude-sonnet-4-5', 1024, DOCS),
  claude('claude-opus-4-1', 1024, DOCS),
  claude('claude-opus-4', 1024, DOCS),
  claude('claude-opus-4-7', 2048, DOCS),
  claude('claude-mythos-preview', 2048, DOCS),
  claude('claude-3-5-haiku', 2048, DOCS),
  claude('claude-opus-4-6', 4096, DOCS),
  claude('claude-opus-4-5', 4096, DOCS),
  claude('claude-haiku-4-5', 4096, DOCS, { price: { input: 1, output: 5 } }),
]

const OPENAI_FACTORS = { tier: { default: 1, auto: 1, standard: 1 }, speed: {}, geo: {} } as const

/** Up to 5.5: implicit only, writes are free. */
const GPT_IMPLICIT = {
  provider: 'openai',
  minTokens: 1024,
  maxBreakpoints: 0,
  lookback: Infinity,
  write: {},
  // What a read costs is not known here: nothing is said to be saved.
  read: 1,
  factors: OPENAI_FACTORS,
  thinkingTier: 'unknown',
  explicitBreakpoints: false,
  family: true,
  asOf: AS_OF,
  source: 'docs: OpenAI prompt caching; prices were not looked up',
} as const

/** From 5.6: breakpoints, and writes cost. */
const GPT_EXPLICIT = {
  ...GPT_IMPLICIT,
  maxBreakpoints: 4,
  // The documents disagree (80 breakpoints, or up to 20 earlier message ends): the stricter one.
  lookback: 20,
  write: { '30m': 1.25 },
  read: 0.1,
  explicitBreakpoints: true,
  source: 'SDK: openai 7.57.0; second-hand: multipliers; prices were not looked up',
} as const

const OPENAI: readonly ModelProfile[] = [
  { ...GPT_EXPLICIT, id: 'gpt-6.1-sol', read: 0.05, family: false },
  ...['gpt-6.1', 'gpt-6', 'gpt-5.6'].map((id) => ({ ...GPT_EXPLICIT, id })),
  ...['gpt-5.5', 'gpt-5.4', 'gpt-5.3', 'gpt-5.2', 'gpt-5.1', 'gpt-5', 'gpt-4.1', 'gpt-4o'].map(
    (id) => ({ ...GPT_IMPLICIT, id }),
  ),
  ...['o1', 'o3', 'o4'].map((id) => ({ ...GPT_IMPLICIT, id })),
]

const GEMINI_FAMILY = {
  provider: 'gemini',
  maxBreakpoints: 0,
  lookback: Infinity,
  write: {},
  read: 0.1,
  thinkingTier: 'unknown',
  family: true,
  asOf: AS_OF,
  source: 'docs: Gemini context caching (older copies and Vertex name other minimums)',
} as const

const GEMINI: readonly ModelProfile[] = [
  { ...GEMINI_FAMILY, id: 'gemini-2.5', minTokens: 2048 },
  ...['gemini-3', 'gemini-3.1'].map((id) => ({ ...GEMINI_FAMILY, id, minTokens: 4096 })),
]

const RESOLD = 'the price of another seller was not looked up'

/** Claude at Bedrock and Vertex: the same rules but for what is known to differ, and no price. */
function resold(provider: string): ModelProfile[] {
  return ANTHROPIC.map(({ price: _price, longPrompt: _long, factors: _factors, ...rules }) => ({
    ...rules,
    provider,
    source: `${rules.source}; ${RESOLD}`,
    ...(provider === 'bedrock' && rules.id === 'claude-opus-4-7' && { minTokens: 4096 }),
  }))
}

/** What is taken for true of a model that the table does not know: nothing that could cost money. */
const UNKNOWN = {
  id: '',
  minTokens: null,
  maxBreakpoints: 0,
  lookback: 1,
  write: {},
  read: 1,
  thinkingTier: 'unknown',
  asOf: AS_OF,
  source: 'none: this model is not in the table',
} as const satisfies Partial<ModelProfile>

const UNKNOWN_CLAUDE = {
  ...CLAUDE,
  id: '',
  minTokens: null,
  source: 'docs: what holds for most Claude models; this one is not in the table',
}

const TABLE: ReadonlyMap<string, readonly ModelProfile[]> = new Map([
  ['anthropic', ANTHROPIC],
  ['bedrock', resold('bedrock')],
  ['vertex', resold('vertex')],
  ['openai', OPENAI],
  ['gemini', GEMINI],
])

/** The built-in profiles of a provider; none of one that is not known. */
export function profilesOf(provider: string): readonly ModelProfile[] {
  return TABLE.get(provider) ?? []
}

/** The cautious profile of a model that is not in the table; without a price. */
export function unknownProfile(provider: string, stem: string): ModelProfile {
  if (provider === 'anthropic') return UNKNOWN_CLAUDE
  if (stem.startsWith('claude-') && (provider === 'bedrock' || provider === 'vertex')) {
    return { ...UNKNOWN_CLAUDE, provider }
  }
  if (provider === 'openai')
    return { ...UNKNOWN, provider, factors: OPENAI_FACTORS, explicitBreakpoints: false }
  return { ...UNKNOWN, provider }
}
