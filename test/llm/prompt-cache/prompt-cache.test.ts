import { describe, expect, it } from 'vitest'
import { isLlmLayer } from '../../../src/contracts/llm-layer.ts'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { answer, MODEL, recorder, request, stubPlanner, testLoad } from './anthropic-answers.ts'

const acme = { provider: 'anthropic', tenant: 'acme' } as const

describe('a call through promptCache()', () => {
  it('gives the answer as it came, and says what it has cost', async () => {
    const layer = promptCache({ ...acme, planner: false })
    const clock = new FakeClock()
    const load = testLoad(clock)
    const usage = {
      input_tokens: 200,
      cache_read_input_tokens: 1000,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      output_tokens: 50,
    }
    const sent = answer({}, usage)
    const given = layer.call(
      [request()],
      () => new Promise((resolve) => clock.setTimeout(() => resolve(sent), 700)),
      load,
    )
    await clock.advance(700)
    expect(await given).toBe(sent)
    const [report] = load.seen.reports
    expect(report).toMatchObject({
      provider: 'anthropic',
      model: MODEL,
      l3: 'hit',
      tokens: { uncached: 200, read: 1000, write_5m: 100, write_1h: 200, output: 50 },
      durationMs: 700,
      skipped: undefined,
    })
    // Sonnet 5: 2 and 10 dollars; read at a tenth, written at 1.25 and 2 times the price of input.
    const actual = (2 * (200 + 100 + 125 + 400) + 10 * 50) / 1e6
    const uncached = (2 * 1500 + 10 * 50) / 1e6
    expect(report?.cost?.actual).toBeCloseTo(actual, 12)
    expect(report?.cost?.uncached).toBeCloseTo(uncached, 12)
    const stats = layer.stats()
    expect(stats).toMatchObject({
      calls: 1,
      failures: 0,
      hits: { l3: 1 },
      misses: { l3: 0 },
      tokens: { uncached: 200, read: 1000, write_5m: 100, write_1h: 200, write_30m: 0, output: 50 },
      unknownPrice: 0,
      skipped: {},
      bypassed: {},
      errors: 0,
    })
    expect(stats.costUsd.actual).toBeCloseTo(actual, 12)
    expect(load.seen).toMatchObject({ skips: 0, ttls: [], expired: [] })
  })

  it('is a miss of the provider cache where nothing was read', async () => {
    const layer = promptCache(acme)
    const load = testLoad()
    await layer.call([request()], () => answer(), load)
    expect(load.seen.reports[0]?.l3).toBe('miss')
    expect(layer.stats()).toMatchObject({ hits: { l3: 0 }, misses: { l3: 1 } })
  })

  it('makes no sum where the price or the usage is not known', async () => {
    const layer = promptCache(acme)
    const load = testLoad()
    const model = 'claude-unheard-of'
    await layer.call([request('a', { model })], () => answer({ model }), load)
    await layer.call([request('b')], () => answer({ usage: undefined }), load)
    await layer.call([request('c')], () => 'text', load)
    expect(load.seen.reports.map(({ cost }) => cost)).toEqual([undefined, undefined, undefined])
    expect(load.seen.reports.map(({ l3 }) => l3)).toEqual(['miss', undefined, undefined])
    expect(layer.stats()).toMatchObject({
      unknownPrice: 3,
      misses: { l3: 1 },
      costUsd: { actual: 0, uncached: 0 },
    })
  })

  it('takes prices from its options', async () => {
    const layer = promptCache({
      ...acme,
      prices: { [`anthropic/${MODEL}`]: { price: { input: 1000, output: 0 } } },
    })
    await layer.call([request()], () => answer(), testLoad())
    expect(layer.stats().costUsd.actual).toBeCloseTo((1000 * 100) / 1e6, 12)
  })

  it('passes on what the provider fails with', async () => {
    const layer = promptCache(acme)
    const load = testLoad()
    const failure = new Error('529')
    await expect(layer.call([request()], () => Promise.reject(failure), load)).rejects.toBe(failure)
    await expect(
      layer.call(
        [request()],
        () => {
          throw failure
        },
        load,
      ),
    ).rejects.toBe(failure)
    expect(layer.stats()).toMatchObject({ calls: 2, failures: 2, errors: 0, misses: { l3: 0 } })
    expect(load.seen.reports).toEqual([])
  })

  it('refuses a stream, and names what is made for it', async () => {
    const layer = promptCache(acme)
    async function* stream() {
      yield 1
    }
    const given = layer.call([request()], () => stream(), testLoad())
    await expect(given).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    await expect(given).rejects.toThrow('wrap it by cachedStream(fn, { llm })')
  })

  it('tells listeners of each report', async () => {
    const layer = promptCache(acme)
    const models: string[] = []
    const stop = layer.on('report', ({ model }) => models.push(model))
    await layer.call([request()], () => answer(), testLoad())
    stop()
    await layer.call([request()], () => answer(), testLoad())
    expect(models).toEqual([MODEL])
  })

  it('is known as a layer', () => {
    expect(isLlmLayer(promptCache(acme))).toBe(true)
  })
})

describe('the plan of a call', () => {
  it('changes the request that is sent, and no other argument', async () => {
    const { planner, planned, observed } = stubPlanner()
    const layer = promptCache({ ...acme, planner, route: (_, user) => `route of ${user}` })
    const clock = new FakeClock(5000)
    const mine = request()
    const { sent, send } = recorder()
    const rest = ['ann', { signal: AbortSignal.timeout(1000) }]
    await layer.call([mine, ...rest], send, testLoad(clock))
    expect(sent()[0]).toEqual({ ...mine, isPlanned: true })
    expect(sent().slice(1)).toEqual(rest)
    expect(mine).toEqual(request())
    expect(planned[0]).toMatchObject({
      provider: 'anthropic',
      tenant: 'acme',
      route: 'route of ann',
      now: 5000,
    })
    const [plan, usage, times] = observed[0] ?? []
    expect(plan?.request).toBe(sent()[0])
    expect(usage?.inputTotal).toBe(100)
    expect(times).toEqual({ startedAt: 5000 })
    expect(layer.planner).toBe(planner)
    expect(layer.explain('r')).toEqual({ route: 'r' })
  })

  it('is made for Anthropic and OpenAI only, and for requests only', async () => {
    const { planner, planned } = stubPlanner()
    for (const provider of ['gemini', 'bedrock', 'somebody']) {
      const layer = promptCache({ provider, tenant: 'acme', planner })
      const mine = request()
      const { sent, send } = recorder()
      await layer.call([mine], send, testLoad())
      expect(sent()[0]).toBe(mine)
      expect(layer.planner).toBeUndefined()
      expect(layer.explain()).toBeUndefined()
    }
    const layer = promptCache({ ...acme, planner })
    await layer.call([{ prompt: 'old' }], () => answer(), testLoad())
    expect(planned).toEqual([])
    expect(layer.stats().errors).toBe(0)
  })

  it('gives OpenAI a prompt_cache_key, unless the request has one', async () => {
    const { planner } = stubPlanner()
    const layer = promptCache({ provider: 'openai', tenant: 'acme', planner })
    const keys: unknown[] = []
    const send = ([mine]: readonly unknown[]) => {
      keys.push((mine as { prompt_cache_key?: unknown }).prompt_cache_key)
      return {}
    }
    const base = { model: 'gpt-5.5', input: 'hello' }
    await layer.call([base], send, testLoad())
    await layer.call([{ ...base, prompt_cache_key: 'mine' }], send, testLoad())
    expect(keys[0]).toMatch(/^pc1-[0-9a-f]{10}-[0-9a-f]{16}-0$/)
    expect(keys[1]).toBe('mine')
  })
})

describe('what fails in the layer', () => {
  const failing = () => {
    throw new Error('ours')
  }

  it('costs nobody an answer: the planner', async () => {
    const { planner } = stubPlanner()
    const layer = promptCache({ ...acme, planner: { ...planner, plan: failing } as never })
    const errors: unknown[] = []
    layer.on('error', ({ part, error }) => errors.push([part, (error as Error).message]))
    const load = testLoad()
    const mine = request()
    const { sent, send } = recorder()
    await layer.call([mine], send, load)
    expect(sent()[0]).toBe(mine)
    expect(load.seen.skips).toBe(0)
    expect(errors).toEqual([['planner', 'ours']])

    const other = promptCache({ ...acme, planner: { ...planner, observe: failing } as never })
    await other.call([mine], () => answer(), load)
    expect(other.stats()).toMatchObject({ errors: 1, misses: { l3: 1 }, skipped: {} })
  })

  it('costs nobody an answer: its validation', async () => {
    const layer = promptCache({ ...acme, validate: failing })
    const load = testLoad()
    const sent = answer()
    expect(await layer.call([request()], () => sent, load)).toBe(sent)
    expect(load.seen.skips).toBe(1)
    expect(layer.stats()).toMatchObject({ errors: 1, skipped: { 'not-valid': 1 } })
  })

  it('costs nobody an answer: one that cannot be looked at', async () => {
    const layer = promptCache(acme)
    const load = testLoad()
    const odd = Object.defineProperty({}, 'usage', { get: failing, enumerable: true })
    expect(await layer.call([request()], () => odd, load)).toBe(odd)
    expect(load.seen.skips).toBe(1)
  })
})
