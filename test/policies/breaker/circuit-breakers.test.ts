import { describe, expect, it, vi } from 'vitest'
import { circuitBreakers } from '../../../src/policies/breaker/circuit-breakers.ts'
import { loadOpossum } from '../../../src/policies/breaker/engine.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { fail, ONE_FAILURE, succeed } from './fixture.ts'

function aRegistry(max: number) {
  const clock = new FakeClock(1000)
  const breakers = circuitBreakers({ ...ONE_FAILURE, name: 'hosts', openFor: '1s', max, clock })
  const keys = (): string[] => [...breakers.entries()].map(([key]) => key)
  return { clock, breakers, keys }
}

describe('a registry of breakers', () => {
  it('keeps one for each key, apart from the others', async () => {
    const { breakers } = aRegistry(10)
    expect(breakers('a')).toBe(breakers('a'))
    await fail(breakers('a'))
    expect(breakers('a').state).toBe('open')
    expect(breakers('b').state).toBe('closed')
    expect(breakers('b').name).toBe('hosts')
    expect(breakers.name).toBe('hosts')
    expect(breakers.stats()).toEqual({
      closed: 1,
      open: 1,
      'half-open': 0,
      isolated: 0,
      forgotten: 0,
    })
  })

  it('forgets the one that was not used for longest', () => {
    const { breakers, keys } = aRegistry(2)
    breakers('a')
    breakers('b')
    breakers('a')
    breakers('c')
    expect(keys()).toEqual(['a', 'c'])
    expect(breakers.stats().forgotten).toBe(1)
  })

  it('does not forget that one is open, however many keys come by', async () => {
    const { breakers } = aRegistry(3)
    await fail(breakers('down'))
    for (let i = 0; i < 1000; i++) breakers(`host-${i}`)
    expect(breakers('down').state).toBe('open')
    expect(breakers.stats()).toMatchObject({ open: 1, closed: 2, forgotten: 998 })
  })

  it('stays bounded when all are open: isolated ones are kept longest', async () => {
    const { breakers, keys, clock } = aRegistry(3)
    breakers('isolated').isolate()
    await fail(breakers('old'))
    await clock.advance('1s')
    await fail(breakers('new'))
    expect(breakers('old').state).toBe('half-open')
    breakers('x') // the half-open one goes first
    expect(keys()).toEqual(['isolated', 'new', 'x'])
    await fail(breakers('x'))
    breakers('y')
    expect(keys()).toEqual(['isolated', 'x', 'y'])
  })

  it('leaves no timer of the engine behind for what it has forgotten', async () => {
    await loadOpossum()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { breakers } = aRegistry(3)
      for (let i = 0; i < 50; i++) await fail(breakers(`host-${i}`))
      expect(breakers.stats()).toMatchObject({ open: 3, forgotten: 47 })
      expect(vi.getTimerCount()).toBe(3)
    } finally {
      vi.useRealTimers()
    }
  })

  it('leaves a forgotten breaker to who still has it, with all that it has counted', async () => {
    await loadOpossum()
    const clock = new FakeClock(1000)
    const options = { minimumCalls: 4, failureRate: 0.75, openFor: '1s' } as const
    const breakers = circuitBreakers({ ...options, max: 1, clock })
    const kept = breakers('a')
    await succeed(kept)
    await fail(kept, 2)
    breakers('b')
    await clock.advance('5s')
    await fail(kept)
    expect(kept.state).toBe('open')
    await clock.advance('1s')
    await succeed(kept)
    await succeed(kept)
    await clock.advance('20s')
    await fail(kept, 4)
    expect(kept.state).toBe('open')
  })

  it('checks its options, and its keys', () => {
    expect(() => circuitBreakers({ mx: 5 } as object)).toThrow(
      "unknown option of circuitBreakers(): 'mx'; did you mean 'max'?",
    )
    expect(() => circuitBreakers({ state: {} } as object)).toThrow('unknown option')
    expect(() => circuitBreakers({ max: 0 })).toThrow('max must be a whole number ≥ 1, got 0')
    expect(() => circuitBreakers()(7 as never)).toThrow(
      'the key of a circuit breaker must be text, got a number',
    )
  })
})
