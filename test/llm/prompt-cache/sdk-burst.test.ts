import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { fakeAnthropic } from '../../../src/testing/fake-anthropic/fake-anthropic.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { MODEL, testLoad } from './anthropic-answers.ts'

const CALLERS = 50
/** Counts as 3000 tokens. */
const RULES = 'Check the invoice against each of these rules. '.padEnd(12_000, 'A rule of many. ')

/** Waits for what goes over a socket, which no fake clock moves. */
async function until(isSo: () => boolean): Promise<void> {
  const limit = performance.now() + 5000
  while (!isSo() && performance.now() < limit) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(isSo()).toBe(true)
}

/** All at once, each with a question of its own, through the real SDK to a cold provider; nobody has set a marker. */
async function burst(options: { gate?: false } = {}) {
  const clock = new FakeClock()
  await using provider = await fakeAnthropic({ clock, ttft: '1s' })
  const client = new Anthropic({ baseURL: provider.url, apiKey: 'test', maxRetries: 0 })
  const layer = promptCache({ provider: 'anthropic', tenant: 'acme', ...options })
  const calls = Array.from({ length: CALLERS }, (_, index) =>
    layer.call(
      [
        {
          model: MODEL,
          max_tokens: 50,
          system: RULES,
          messages: [{ role: 'user', content: `invoice ${index}` }],
        },
      ],
      ([request]) => client.messages.create(request as Anthropic.MessageCreateParamsNonStreaming),
      testLoad(clock),
    ),
  )
  const isLed = options.gate !== false
  await until(() => provider.calls === (isLed ? 1 : CALLERS))
  await clock.advance('1s')
  await until(() => provider.calls === CALLERS)
  if (isLed) await clock.advance('1s')
  await Promise.all(calls)
  const writes = provider.log.filter(({ usage }) => (usage?.cache_creation_input_tokens ?? 0) > 0)
  return { writes: writes.length, stats: layer.stats() }
}

describe(`${CALLERS} calls at once that begin alike, to a cold provider`, () => {
  it('write their prefix once with the gate', async () => {
    const { writes, stats } = await burst()
    expect(writes).toBe(1)
    expect(stats).toMatchObject({ calls: CALLERS, hits: { l3: CALLERS - 1 }, misses: { l3: 1 } })
    expect(stats.tokens).toMatchObject({ read: 3000 * (CALLERS - 1), write_5m: 3000 })
    expect(stats.costUsd.actual).toBeLessThan(stats.costUsd.uncached)
  })

  it('write it once each without', async () => {
    const { writes, stats } = await burst({ gate: false })
    expect(writes).toBe(CALLERS)
    expect(stats).toMatchObject({ calls: CALLERS, hits: { l3: 0 }, misses: { l3: CALLERS } })
    expect(stats.tokens).toMatchObject({ read: 0, write_5m: 3000 * CALLERS })
    // What a cache that nobody reads costs shows: nothing is clamped.
    expect(stats.costUsd.actual).toBeGreaterThan(stats.costUsd.uncached)
  })
})
