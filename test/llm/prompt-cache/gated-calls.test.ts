import { describe, expect, it } from 'vitest'
import { createPrefixGate } from '../../../src/llm/gate/prefix-gate.ts'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import type { PromptCacheOptions } from '../../../src/llm/prompt-cache/prompt-cache-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { answer, request, stubPlanner, testLoad } from './anthropic-answers.ts'

/** Calls that all begin alike, to a provider that takes a second. */
function world(options: Partial<PromptCacheOptions> = {}, plan = {}) {
  const clock = new FakeClock()
  const { planner } = stubPlanner(plan)
  const layer = promptCache({ provider: 'anthropic', tenant: 'acme', planner, ...options })
  let sent = 0
  const call = (signal?: AbortSignal) =>
    layer.call(
      [request()],
      () => {
        sent++
        return new Promise((resolve) => clock.setTimeout(() => resolve(answer()), 1000))
      },
      testLoad(clock, signal),
    )
  return { clock, layer, call, sent: () => sent }
}

describe('calls that begin alike', () => {
  it('wait for the answer to the first of them', async () => {
    const { clock, call, sent } = world()
    const calls = Array.from({ length: 10 }, () => call())
    await clock.advance(999)
    expect(sent()).toBe(1)
    await clock.advance(1)
    expect(sent()).toBe(10)
    await clock.advance(1000)
    await Promise.all(calls)
    expect(clock.pending).toBe(0)
  })

  it('wait for nobody without a gate, with a warm prefix, or with nothing to share', async () => {
    for (const { clock, call, sent } of [
      world({ gate: false }),
      world({}, { prefixIsWarm: true }),
      world({}, { prefixId: '', prefixTokens: 0 }),
      world({ planner: false }),
    ]) {
      const calls = Array.from({ length: 10 }, () => call())
      await clock.advance(0)
      expect(sent()).toBe(10)
      await clock.advance(1000)
      await Promise.all(calls)
    }
  })

  it('take the gate that they are given, or its options', async () => {
    const clock = new FakeClock()
    const gate = createPrefixGate({ clock, maxWait: 300 })
    for (const one of [world({ gate }), world({ gate: { maxWait: 300, clock } })]) {
      const calls = [one.call(), one.call()]
      await clock.advance(300)
      expect(one.sent()).toBe(2)
      await one.clock.advance(1000)
      await Promise.all(calls)
      // What one has learnt, the other would know.
      await clock.advance('1h')
    }
    expect(gate.stats().led).toBe(1)
  })

  it('stop waiting when nobody wants their answer any more', async () => {
    const { clock, call, sent, layer } = world()
    const controller = new AbortController()
    const first = call()
    const second = call(controller.signal)
    await clock.advance(10)
    controller.abort()
    await expect(second).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await clock.advance(1000)
    await first
    expect(sent()).toBe(1)
    // It was never sent: no call of the provider, and no failure of one.
    expect(layer.stats()).toMatchObject({ calls: 1, failures: 0 })
  })

  it('are sent all the same where the gate fails', async () => {
    const failing = { run: () => Promise.reject(new Error('ours')), stats: () => ({}) as never }
    const { clock, layer, call, sent } = world({ gate: failing })
    const parts: string[] = []
    layer.on('error', ({ part }) => parts.push(part))
    const one = call()
    await clock.advance(1000)
    expect(await one).toMatchObject({ id: 'msg_1' })
    expect(sent()).toBe(1)
    expect(parts).toEqual(['gate'])
  })

  it('are timed without their wait', async () => {
    const { clock, layer, call } = world()
    const durations: number[] = []
    layer.on('report', ({ durationMs }) => durations.push(durationMs))
    const calls = [call(), call()]
    await clock.advance(2000)
    await Promise.all(calls)
    expect(durations).toEqual([1000, 1000])
  })
})

describe('a call begun by a stream', () => {
  it('lets the others go with its first item, and tells the planner when that was', async () => {
    const clock = new FakeClock(100)
    const { planner, observed } = stubPlanner()
    const layer = promptCache({ provider: 'anthropic', tenant: 'acme', planner })
    const begin = () => layer.begin([request()], testLoad(clock))
    let sent = 0
    const stream = async (call: ReturnType<typeof begin>) => {
      const final = await call.run(async (_args, onFirstByte) => {
        sent++
        for (let item = 0; item < 3; item++) {
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 200))
          onFirstByte()
        }
        return answer()
      })
      return call.settle(final)
    }
    const first = stream(begin())
    const second = stream(begin())
    await clock.advance(199)
    expect(sent).toBe(1)
    await clock.advance(1)
    expect(sent).toBe(2)
    await clock.advance(600)
    expect((await first).report.durationMs).toBe(600)
    expect((await second).verdict).toEqual({ action: 'store' })
    expect(observed.map(([, , times]) => times)).toEqual([
      { startedAt: 100, firstByteAt: 300 },
      { startedAt: 300, firstByteAt: 500 },
    ])
  })
})
