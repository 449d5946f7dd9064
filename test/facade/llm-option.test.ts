import { describe, expect, it, vi } from 'vitest'
import { LLM_LAYER, type LlmCallReport, type LlmLayer } from '../../src/contracts/llm-layer.ts'
import { createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

interface Ask {
  readonly text: string
  readonly live?: boolean
}

const paid = new WeakSet<object>()

const REPORT: LlmCallReport = {
  provider: 'stub',
  model: 'm',
  l3: 'hit',
  tokens: { read: 5 },
  cost: undefined,
  durationMs: 1,
  skipped: undefined,
}

/** The least that a layer can be. */
function layer(own: Partial<LlmLayer> = {}): LlmLayer {
  return {
    [LLM_LAYER]: true,
    keyOf: ([ask, ...rest]) => ({
      key: JSON.stringify([(ask as Ask).text.toLowerCase(), rest]),
      tags: ['llm:m'],
      bypass: (ask as Ask).live ? 'live' : undefined,
    }),
    async call([ask, ...rest], send, load) {
      const value = await send([{ ...(ask as Ask), planned: true }, ...rest])
      load.report(REPORT)
      return value
    },
    mark(value) {
      const copy = { ...(value as object) }
      paid.add(copy)
      return copy
    },
    ...own,
  }
}

function world(own: Partial<LlmLayer> = {}, more: object = {}) {
  const clock = new FakeClock()
  const store = memory()
  const node = () => createCache({ name: 'n', clock, random: () => 0.5, l2: store, ttl: '1m' })
  const cache = node()
  const ask = vi.fn(async (request: Ask, style?: string) => ({
    text: request.text,
    style,
    planned: 'planned' in request,
  }))
  const options = { name: 'ask', llm: layer(own), ...more }
  return { clock, cache, ask, node, options, answer: cache.cached(ask, options) }
}

describe('the option llm of a cached function', () => {
  it('looks requests up by the key of the layer, and sends what the layer makes of them', async () => {
    const { ask, answer } = world()
    expect(await answer({ text: 'Hi' })).toEqual({ text: 'Hi', style: undefined, planned: true })
    await answer({ text: 'hI' })
    expect(ask).toHaveBeenCalledTimes(1)
    await answer({ text: 'hi' }, 'short')
    expect(ask).toHaveBeenCalledTimes(2)
    expect(ask).toHaveBeenLastCalledWith({ text: 'hi', planned: true }, 'short')
  })

  it('coalesces equal requests', async () => {
    const { ask, answer } = world()
    await Promise.all([answer({ text: 'a' }), answer({ text: 'A' })])
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it('gives each call that must not be cached an answer of its own, and keeps none', async () => {
    const { ask, answer, cache } = world()
    const live = { text: 'news', live: true }
    await Promise.all([answer(live), answer(live)])
    await answer(live)
    expect(ask).toHaveBeenCalledTimes(3)
    expect(ask).toHaveBeenLastCalledWith({ ...live, planned: true })
    expect(cache.stats().entries).toBe(0)
    expect(await answer.explain(live)).toMatchObject({ l1: { state: 'off' }, l2: { state: 'off' } })
  })

  it('stores nothing that the layer skips', async () => {
    const { ask, answer } = world({
      async call(args, send, load) {
        const value = await send(args)
        load.skip()
        return value
      },
    })
    await answer({ text: 'a' })
    await answer({ text: 'a' })
    expect(ask).toHaveBeenCalledTimes(2)
  })

  it('takes the ttl that the layer says', async () => {
    const { ask, answer, clock } = world({
      async call(args, send, load) {
        load.setTtl(1000)
        return send(args)
      },
    })
    await answer({ text: 'a' })
    await clock.advance(1001)
    await answer({ text: 'a' })
    expect(ask).toHaveBeenCalledTimes(2)
  })

  it('marks what comes from L1 and from L2, never the answer itself', async () => {
    const { answer, node, options, ask } = world()
    expect(paid.has(await answer({ text: 'a' }))).toBe(false)
    expect(paid.has(await answer({ text: 'a' }))).toBe(true)
    await vi.waitFor(async () => {
      expect(await answer.explain({ text: 'a' })).toMatchObject({ l2: { state: 'fresh' } })
    })
    const elsewhere = node().cached(ask, options)
    expect(paid.has(await elsewhere({ text: 'a' }))).toBe(true)
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it('counts hits and misses of L3, and tells of each answer', async () => {
    const reports = [REPORT, { ...REPORT, l3: 'miss' as const }, { ...REPORT, l3: undefined }]
    const { answer, cache } = world({
      async call(args, send, load) {
        const value = await send(args)
        load.report(reports.shift() as LlmCallReport)
        return value
      },
    })
    const told: unknown[] = []
    cache.on('llm', (event) => told.push(event))
    for (const text of ['a', 'b', 'c', 'a']) await answer({ text })
    expect(cache.stats()).toMatchObject({ hits: { l1: 1, l3: 1 }, missesL3: 1 })
    expect(told).toHaveLength(3)
    expect(told[0]).toEqual({ cache: 'n', function: 'ask', ...REPORT })
  })

  it('makes entries stale that carry a tag which the layer has expired', async () => {
    const { ask, answer } = world({
      async call(args, send, load) {
        const value = await send(args)
        if ((args[0] as Ask).text === 'new') load.expire(['llm:m'])
        return value
      },
    })
    await answer({ text: 'a' })
    await answer({ text: 'new' })
    await answer({ text: 'a' })
    expect(ask).toHaveBeenCalledTimes(3)
  })

  it('adds the tags of the layer to those declared', async () => {
    const { ask, answer, cache } = world({}, { tags: () => ['own'] })
    for (const tag of ['own', 'llm:m']) {
      await answer({ text: 'a' })
      await cache.invalidateTag(tag)
    }
    await answer({ text: 'a' })
    expect(ask).toHaveBeenCalledTimes(3)
  })

  it('gives the origin its context where it asks for one', async () => {
    const { cache } = world()
    const ask = cache.cached(
      async (context, request: Ask) => [context.signal.aborted, request.text],
      { name: 'with', context: true, llm: layer({ mark: (value) => value }) },
    )
    expect(await ask({ text: 'a' })).toEqual([false, 'a'])
  })

  it('waits for an answer as long as it takes, unless told otherwise', async () => {
    const { clock, cache } = world()
    const slow = async (_: Ask) => {
      await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 600_000))
      return { done: true }
    }
    const patient = cache.cached(slow, { name: 'patient', llm: layer() })({ text: 'a' })
    const hurried = cache
      .cached(slow, { name: 'hurried', llm: layer(), hardTimeout: '1m' })({ text: 'a' })
      .catch((error: { code: string }) => error.code)
    await clock.advance(600_000)
    expect(await patient).toEqual({ done: true })
    expect(await hurried).toBe('ERR_TIMEOUT')
  })

  it('asks for nothing ahead of time', async () => {
    const { ask, answer, clock } = world()
    await answer({ text: 'a' })
    await clock.advance(59_000 * 0.95)
    await answer({ text: 'a' })
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it.each([
    [{ llm: { provider: 'anthropic' } }, 'llm must be promptCache({ provider, tenant }) of'],
    [{ llm: layer(), key: () => 'k' }, 'key and llm do not go together: the request and the'],
    [{ llm: layer(), manyOrigin: async () => [] }, 'manyOrigin and llm do not go together'],
  ])('refuses what makes no sense with it', (options, message) => {
    const { cache } = world()
    const wrap = () => cache.cached(async (_: Ask) => 1, options as never)
    expect(wrap).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
    expect(wrap).toThrow(message)
  })
})
