import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/facade/create-cache.ts'
import { memory } from '../../../src/index.ts'
import { isCachedAnswer } from '../../../src/llm/prompt-cache/cached-answer.ts'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { answer, MODEL, request } from './anthropic-answers.ts'

/** A cached function that asks a provider, whose answers the test chooses. */
function world(answerTo: (call: number) => unknown = (call) => answer({ id: `msg_${call}` })) {
  const clock = new FakeClock()
  const cache = createCache({ clock })
  const llm = promptCache({ provider: 'anthropic', tenant: (_, user) => user as string })
  let calls = 0
  const ask = cache.cached(
    async (_request: object, _user: string) => answerTo(++calls) as { id: string },
    { name: 'ask', ttl: '1h', llm },
  )
  return { cache, clock, llm, ask, calls: () => calls }
}

/** Spread over [0, 1) without chance: multiples of the golden ratio. */
function evenly() {
  let count = 0
  return () => (count++ * 0.6180339887) % 1
}

describe('a function cached with promptCache()', () => {
  it('asks once for three equal requests, and shows which answers were paid for before', async () => {
    const { ask, calls, llm, cache } = world()
    const answers = [
      await ask(request(), 'ann'),
      await ask(request(), 'ann'),
      await ask(request(), 'ann'),
    ]
    expect(calls()).toBe(1)
    expect(answers.map(({ id }) => id)).toEqual(['msg_1', 'msg_1', 'msg_1'])
    expect(answers.map(isCachedAnswer)).toEqual([false, true, true])
    expect(llm.stats()).toMatchObject({ calls: 1, misses: { l3: 1 } })
    await cache.close()
  })

  it('asks again for another tenant', async () => {
    const { ask, calls, cache } = world()
    expect((await ask(request(), 'ann')).id).toBe('msg_1')
    expect((await ask(request(), 'bob')).id).toBe('msg_2')
    expect((await ask(request(), 'ann')).id).toBe('msg_1')
    expect(calls()).toBe(2)
    await cache.close()
  })

  it('keeps no answer that was cut off', async () => {
    const { ask, calls, cache } = world(() => answer({ stop_reason: 'max_tokens' }))
    await ask(request(), 'ann')
    await ask(request(), 'ann')
    expect(calls()).toBe(2)
    await cache.close()
  })

  it('asks again for what an older model has answered, once the name means another', async () => {
    const dates = ['20260101', '20260901', '20260901', '20260901']
    const { ask, calls, clock, cache } = world((call) =>
      answer({ id: `msg_${call}`, model: `${MODEL}-${dates[call - 1]}` }),
    )
    await ask(request('a'), 'ann')
    await clock.advance(1000)
    await ask(request('b'), 'bob')
    await clock.advance(1000)
    expect((await ask(request('a'), 'ann')).id).toBe('msg_3')
    await clock.advance(1000)
    expect((await ask(request('a'), 'ann')).id).toBe('msg_3')
    expect(calls()).toBe(3)
    await cache.close()
  })

  it('shows one of those who shared a call the answer that was paid for', async () => {
    const { ask, calls, cache } = world()
    const answers = [
      ...(await Promise.all([ask(request(), 'ann'), ask(request(), 'ann')])),
      ...(await ask.many([
        [request('b'), 'ann'],
        [request('b'), 'ann'],
      ])),
    ]
    expect(calls()).toBe(2)
    expect(answers.map(isCachedAnswer)).toEqual([false, true, false, true])
    await cache.close()
  })

  it('shows it to the one who is left when the first has gone', async () => {
    const { ask, calls, cache } = world()
    const controller = new AbortController()
    const first = ask.with({ signal: controller.signal })(request(), 'ann')
    const second = ask(request(), 'ann')
    controller.abort()
    await expect(first).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(isCachedAnswer(await second)).toBe(false)
    expect(calls()).toBe(1)
    await cache.close()
  })

  it.each([
    { l2: false, variants: 1 },
    { l2: true, variants: 3 },
  ])('keeps no answer to a request that was changed after the call: %o', async (how) => {
    const cache = createCache({
      clock: new FakeClock(),
      name: 'n',
      ...(how.l2 && { l2: memory() }),
    })
    const llm = promptCache({
      provider: 'anthropic',
      tenant: 'acme',
      variants: how.variants,
      random: evenly(),
    })
    const ask = cache.cached(
      async (asked: ReturnType<typeof request>) => answer({ id: String(asked.messages.length) }),
      { name: 'ask', ttl: '1h', llm },
    )
    const mine = request()
    const first = ask(mine)
    mine.messages.push({ role: 'user', content: 'and this' })
    await first
    // More often than there are variants.
    for (let i = 0; i < 20; i++) expect((await ask(request())).id).toBe('1')
    expect(llm.stats().skipped).toEqual({ changed: 1 })
    expect(llm.stats().calls).toBeLessThanOrEqual(1 + how.variants)
    await cache.close()
  })

  it('keeps no answer of the background that was refused', async () => {
    const clock = new FakeClock()
    const cache = createCache({ clock })
    const llm = promptCache({ provider: 'anthropic', tenant: 'acme' })
    let calls = 0
    const ask = cache.cached(
      async (_request: object) => {
        const call = ++calls
        await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 5000))
        return answer({ stop_reason: call === 1 ? 'refusal' : 'end_turn', id: `msg_${call}` })
      },
      { name: 'ask', ttl: '1h', hardTimeout: '1s', completeInBackground: true, llm },
    )
    for (let call = 1; call <= 2; call++) {
      const late = ask(request()).catch((error: { code: string }) => error.code)
      await clock.advance(1500)
      expect(await late).toBe('ERR_TIMEOUT')
      await clock.advance(5000)
    }
    expect(calls).toBe(2)
    expect(await ask(request())).toMatchObject({ id: 'msg_2' })
    await cache.close()
  })

  it('forgets all variants of an answer that is invalidated', async () => {
    const cache = createCache({ clock: new FakeClock() })
    const llm = promptCache({
      provider: 'anthropic',
      tenant: 'acme',
      variants: 3,
      random: evenly(),
    })
    let version = 'old'
    const ask = cache.cached(async (_request: object) => answer({ id: version }), {
      name: 'ask',
      ttl: '1h',
      llm,
    })
    for (let i = 0; i < 40; i++) await ask(request())
    expect(llm.stats().calls).toBe(3)
    await ask.invalidate(request())
    version = 'new'
    for (let i = 0; i < 40; i++) expect((await ask(request())).id).toBe('new')
    await cache.close()
  })
})
