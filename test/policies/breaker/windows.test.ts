import { describe, expect, it } from 'vitest'
import { aBreaker, fail, slowly, succeed } from './fixture.ts'

describe('a time window', () => {
  const window = { type: 'time', duration: '10s', buckets: 10 } as const

  it('forgets failures slice by slice', async () => {
    const { breaker, clock } = aBreaker({ window })
    await fail(breaker, 9)
    await clock.advance('9s')
    await succeed(breaker)
    await clock.advance('1s') // the failures are 10 s old now
    await fail(breaker, 8)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('still knows a failure within its duration less a slice', async () => {
    const { breaker, clock } = aBreaker({ window })
    await fail(breaker, 5)
    await clock.advance(8_999)
    await fail(breaker, 5)
    expect(breaker.state).toBe('open')
  })

  it('knows nothing after a long silence', async () => {
    const { breaker, clock } = aBreaker({ window })
    await fail(breaker, 9)
    await clock.advance('7d')
    await fail(breaker, 9)
    expect(breaker.state).toBe('closed')
  })
})

describe('a count window', () => {
  it('judges by the last calls only', async () => {
    const { breaker } = aBreaker({ window: { type: 'count', size: 20 } })
    await fail(breaker, 9)
    await succeed(breaker, 20)
    await fail(breaker, 9)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('smaller than 10 is judged by when it is full', async () => {
    const { breaker } = aBreaker({ window: { type: 'count', size: 4 }, failureRate: 1 })
    await fail(breaker, 3)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })
})

describe('a window of consecutive failures', () => {
  it('opens at so many in a row, and at no rate', async () => {
    const { breaker } = aBreaker({ window: { type: 'consecutive', failures: 3 } })
    for (let i = 0; i < 50; i++) {
      await fail(breaker, 2)
      await succeed(breaker)
    }
    expect(breaker.state).toBe('closed')
    await fail(breaker, 3)
    expect(breaker.state).toBe('open')
  })
})

describe('slow calls', () => {
  const options = {
    window: { type: 'count', size: 10 },
    slowCall: { duration: '1s', rate: 0.8 },
    openFor: '1s',
  } as const

  it('open it though all end well, with nothing to blame', async () => {
    const { breaker, clock } = aBreaker(options)
    const causes: unknown[] = []
    breaker.on('open', ({ cause }) => causes.push(cause))
    await succeed(breaker, 2)
    for (let i = 0; i < 7; i++) await slowly(breaker, clock, 1001)
    expect(breaker.state).toBe('closed')
    await slowly(breaker, clock, 1001)
    expect(breaker.state).toBe('open')
    expect(causes).toEqual(['late'])
    expect(breaker.stats()).toMatchObject({ successes: 10, failures: 0, slow: 8 })
  })

  it('are forgotten with the calls that they were', async () => {
    const { breaker, clock } = aBreaker(options)
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 7; i++) await slowly(breaker, clock, 1001)
      await succeed(breaker, 10)
    }
    expect(breaker.state).toBe('closed')
  })

  it('are those that take longer, not as long', async () => {
    const { breaker, clock } = aBreaker(options)
    for (let i = 0; i < 20; i++) await slowly(breaker, clock, 1000)
    expect(breaker.state).toBe('closed')
    expect(breaker.stats().slow).toBe(0)
  })

  it('make a probe fail', async () => {
    const { breaker, clock } = aBreaker(options)
    await fail(breaker, 10)
    await clock.advance('1s')
    await slowly(breaker, clock, 1001)
    expect(breaker.state).toBe('open')
  })
})
