import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/facade/create-cache.ts'
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
})
