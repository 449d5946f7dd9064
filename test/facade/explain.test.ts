import { expect, it } from 'vitest'
import { createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

it('explain and the call agree about an entry of L2 that lacks a tag the call declares', async () => {
  const clock = new FakeClock(1_000_000)
  const l2 = memory()
  const tagged = (...tags: string[]) =>
    createCache({ name: 'app', l2, clock, ttl: '1m' }).cached(async (id: number) => id, {
      name: 'f',
      tags: () => tags,
    })
  await tagged('one', 'two')(1)
  await clock.advance(10)
  for (const [tags, state, source] of [
    [['one', 'two'], 'fresh', 'l2'],
    [['one'], 'fresh', 'l2'],
    [[], 'fresh', 'l2'],
    [['one', 'three'], 'dead', 'origin'],
  ] as const) {
    const fn = tagged(...tags)
    const explained = await fn.explain(1)
    expect(explained.l2.state, tags.join()).toBe(state)
    expect((await fn.detail(1)).source, explained.summary).toBe(source)
  }
})
