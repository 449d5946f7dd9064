import type { ModelProfile } from '../../../src/llm/models/model-profile.ts'

/** The figures of the published table, whatever the built-in one says today. */
export const SONNET: ModelProfile = {
  id: 'claude-sonnet-5',
  provider: 'anthropic',
  minTokens: 1024,
  maxBreakpoints: 4,
  lookback: 20,
  write: { '5m': 1.25, '1h': 2 },
  read: 0.1,
  price: { input: 2, output: 10 },
  thinkingTier: 'messages',
  asOf: '2026-11-22',
  source: 'test',
}
