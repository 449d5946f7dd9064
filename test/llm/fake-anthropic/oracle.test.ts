import { describe, expect, it } from 'vitest'
import { AccountingOracle } from '../../../bench/llm/oracle.ts'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { findProfile } from '../../../src/llm/models/profiles.ts'
import { promptCacheModel } from '../../../src/testing/fake-anthropic/prompt-cache.ts'
import { provider } from './provider.ts'
import { pick, randomRequests, whole } from './random-requests.ts'

const SEQUENCES = 120
const CALLS = 20
const GAPS_MS = [0, 1, 2000, 60_000, 240_000, 299_999, 300_000, 1_500_000, 3_599_999, 3_600_000]

/** One oracle per model and workspace: it knows neither. */
function oracles(thinkingTier: 'messages' | 'all', commitLagMs: number) {
  const made = new Map<string, AccountingOracle>()
  return (model: string, workspace: string): AccountingOracle => {
    const name = `${workspace} ${model}`
    const profile = { ...findProfile('anthropic', model), thinkingTier }
    const oracle = made.get(name) ?? new AccountingOracle(profile, { commitLagMs })
    made.set(name, oracle)
    return oracle
  }
}

/** Plays one sequence on both sides, and says what it came across. */
function play(seed: number) {
  const random = seededRandom(seed)
  const thinkingTier = pick(random, ['messages', 'all'] as const)
  const commitLagMs = pick(random, [0, 0, 1500])
  const oracleOf = oracles(thinkingTier, commitLagMs)
  const model = promptCacheModel({
    rules: (name) => ({ ...findProfile('anthropic', name), thinkingTier }),
    commitLagMs,
  })
  const next = randomRequests(random)
  const seen = { reads: 0, long: 0, short: 0, parts: 0 }
  let now = 0
  for (let call = 0; call < CALLS; call++) {
    now += pick(random, GAPS_MS.slice(0, 1 + whole(random, GAPS_MS.length)))
    const request = next()
    const workspace = pick(random, ['one', 'one', 'one', 'two'])
    const firstByteAt = now + pick(random, [0, 800, 12_000])
    const begun = model.begin(request, workspace, now)
    begun.commit(firstByteAt)
    const { read, write5m, write1h, input, total } = begun.bill
    const { cost: _, ...expected } = oracleOf(request.model, workspace).call(
      request,
      now,
      firstByteAt,
    )
    expect({ read, write5m, write1h, input }, `seed ${seed}, call ${call}`).toEqual(expected)
    expect(read + write5m + write1h + input, `seed ${seed}, call ${call}`).toBe(total)
    if (read > 0) seen.reads++
    if (write1h > 0) seen.long++
    if (write5m > 0) seen.short++
    if (read > 0 && write5m > 0 && write1h > 0) seen.parts++
  }
  return seen
}

describe('the prompt cache of fakeAnthropic', () => {
  it('agrees to the token with an account that compares whole prompts', () => {
    const seen = { reads: 0, long: 0, short: 0, parts: 0 }
    for (let seed = 1; seed <= SEQUENCES; seed++) {
      const of = play(seed)
      for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += of[name]
    }
    // Else the agreement would be about nothing.
    expect(seen.reads).toBeGreaterThan(SEQUENCES)
    expect(seen.short).toBeGreaterThan(SEQUENCES)
    expect(seen.long).toBeGreaterThan(SEQUENCES / 2)
    expect(seen.parts).toBeGreaterThan(5)
  })

  it('is what clients of the SDK are billed', async () => {
    const profile = { thinkingTier: 'messages' } as const
    for (let seed = 1; seed <= 4; seed++) {
      const random = seededRandom(seed)
      const { client, clock } = await provider({ profile })
      const oracleOf = oracles('messages', 0)
      const next = randomRequests(random)
      for (let call = 0; call < CALLS; call++) {
        await clock.advance(pick(random, GAPS_MS.slice(0, 6)))
        const request = next()
        const { usage } = await client.messages.create(request as never)
        const { cost: _, ...expected } = oracleOf(request.model, 'one').call(request, clock.now())
        const billed = {
          read: usage.cache_read_input_tokens,
          write5m: usage.cache_creation?.ephemeral_5m_input_tokens,
          write1h: usage.cache_creation?.ephemeral_1h_input_tokens,
          input: usage.input_tokens,
        }
        expect(billed, `seed ${seed}, call ${call}`).toEqual(expected)
      }
    }
  })
})
