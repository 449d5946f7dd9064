import { describe, expect, it } from 'vitest'
import { aBreaker, aCall, fail, ONE_FAILURE, REFUSED, settled, slowly, succeed } from './fixture.ts'

describe('a closed breaker', () => {
  it('hands out values and errors as they are', async () => {
    const { breaker } = aBreaker()
    expect(await breaker(async () => 7)).toBe(7)
    expect(await breaker(() => undefined)).toBe(undefined)
    await expect(
      breaker(() => {
        throw REFUSED
      }),
    ).rejects.toBe(REFUSED)
  })

  it('opens at half of at least 10 calls', async () => {
    const { breaker } = aBreaker()
    await fail(breaker, 9)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('stays closed just below the rate, and is open at it', async () => {
    const { breaker } = aBreaker({ failureRate: 0.7 })
    await succeed(breaker, 4)
    await fail(breaker, 6)
    expect(breaker.state).toBe('closed')
    await fail(breaker, 3) // 9 of 13
    expect(breaker.state).toBe('closed')
    await fail(breaker) // 10 of 14
    expect(breaker.state).toBe('open')
  })

  it('opens at a rate that is no binary fraction', async () => {
    const { breaker } = aBreaker({ failureRate: 0.7 })
    await succeed(breaker, 3)
    await fail(breaker, 7) // 0.7 × 10 > 7 in floating point
    expect(breaker.state).toBe('open')
  })

  it('is never opened by a success', async () => {
    const { breaker } = aBreaker()
    await fail(breaker, 9)
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })
})

describe('an open breaker', () => {
  it('rejects without running the task, with the time that is left', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, name: 'claude', openFor: '10s' })
    await fail(breaker)
    await clock.advance('4s')
    let calls = 0
    const error = await breaker(() => calls++).catch((thrown: unknown) => thrown)
    expect(calls).toBe(0)
    expect(error).toMatchObject({
      code: 'ERR_CIRCUIT_OPEN',
      retryable: true,
      retryAfterMs: 6000,
      cause: REFUSED,
    })
    expect((error as Error).message).toBe(
      "the circuit 'claude' is open since too many of its calls failed or were slow (see cause); call again after retryAfterMs, or do without",
    )
    await clock.advance('1s')
    expect(error).toMatchObject({ retryAfterMs: 5000 })
  })

  it('shares one error among the rejections of one opening', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    await fail(breaker)
    const first = breaker.admit()
    expect(breaker.admit()).toBe(first)
    await clock.advance('1s')
    await fail(breaker)
    expect(breaker.admit()).not.toBe(first)
    expect(breaker.admit()).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
  })

  it('never shows a value that opened it', async () => {
    const { breaker } = aBreaker({
      ...ONE_FAILURE,
      classify: ({ value }) => (value === 'secret' ? 'failure' : undefined),
    })
    await breaker(() => 'secret')
    const error = await breaker(() => 1).catch((thrown: Error) => thrown)
    expect(error).not.toHaveProperty('cause')
  })

  it('is half-open when its time is over, and has no timer for that', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    await fail(breaker)
    expect(clock.pending).toBe(0)
    await clock.advance(999)
    expect(breaker.state).toBe('open')
    await clock.advance(1)
    expect(breaker.state).toBe('half-open')
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
    expect(clock.pending).toBe(0)
  })

  it('counts anew once it is closed', async () => {
    const { breaker, clock } = aBreaker({ window: { type: 'count', size: 10 }, openFor: '1s' })
    await fail(breaker, 10)
    await clock.advance('1s')
    await succeed(breaker)
    await fail(breaker, 9)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })
})

describe('late results', () => {
  it('of before an opening neither open it again nor keep it open', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    const before = aCall(breaker)
    await fail(breaker)
    await clock.advance('1s')
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
    before.fail()
    await settled()
    expect(breaker.state).toBe('closed')
    expect(breaker.stats()).toMatchObject({ late: 1, failures: 2, opened: 1 })
  })

  it('of before an opening do not close it while it is half-open', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    const before = aCall(breaker)
    await fail(breaker)
    await clock.advance('1s')
    const probe = aCall(breaker)
    before.succeed()
    await settled()
    expect(breaker.state).toBe('half-open')
    probe.fail()
    await settled()
    expect(breaker.state).toBe('open')
  })

  it('of a probe that ran into its time-out change nothing', async () => {
    const { breaker, clock } = aBreaker({
      ...ONE_FAILURE,
      openFor: '1s',
      halfOpen: { probeTimeout: '2s' },
    })
    await fail(breaker)
    await clock.advance('1s')
    const probe = aCall(breaker)
    await clock.advance('2s')
    await expect(probe.done).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(breaker.state).toBe('open')
    probe.succeed()
    await settled()
    expect(breaker.state).toBe('open')
    expect(clock.pending).toBe(0)
  })
})

describe('isolation', () => {
  it('turns every call away until all handles are disposed', async () => {
    const { breaker } = aBreaker({ name: 'claude' })
    const [mine, other] = [breaker.isolate('maintenance'), breaker.isolate('incident')]
    expect(breaker.state).toBe('isolated')
    await expect(breaker(() => 1)).rejects.toMatchObject({
      code: 'ERR_CIRCUIT_OPEN',
      retryable: false,
      message:
        "the circuit 'claude' is isolated (incident); dispose what isolate() gave, or call reset()",
    })
    mine[Symbol.dispose]()
    mine[Symbol.dispose]()
    expect(breaker.state).toBe('isolated')
    other[Symbol.dispose]()
    expect(breaker.state).toBe('closed')
    expect(await breaker(() => 1)).toBe(1)
  })

  it('can be ended by leaving a block', () => {
    const { breaker } = aBreaker()
    {
      using _isolation = breaker.isolate()
      expect(breaker.state).toBe('isolated')
    }
    expect(breaker.state).toBe('closed')
  })

  it('does not shorten an opening that it covers', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '10s' })
    await fail(breaker)
    const isolation = breaker.isolate()
    await clock.advance('4s')
    isolation[Symbol.dispose]()
    expect(breaker.admit()).toMatchObject({ retryAfterMs: 6000 })
    await clock.advance('6s')
    expect(breaker.state).toBe('half-open')
  })

  it('begins a new round when it interrupts one', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    await fail(breaker)
    await clock.advance('1s')
    const probe = aCall(breaker)
    const isolation = breaker.isolate()
    probe.fail()
    await settled()
    isolation[Symbol.dispose]()
    expect(breaker.state).toBe('half-open')
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
  })
})

describe('reset', () => {
  it('closes it, whatever it was, and forgets what it counted', async () => {
    const { breaker } = aBreaker({ window: { type: 'count', size: 10 } })
    await fail(breaker, 10)
    breaker.isolate()
    breaker.reset()
    expect(breaker.state).toBe('closed')
    await fail(breaker, 9)
    expect(breaker.state).toBe('closed')
  })

  it('leaves handles of earlier isolations without effect', () => {
    const { breaker } = aBreaker()
    const old = breaker.isolate()
    breaker.reset()
    breaker.isolate()
    old[Symbol.dispose]()
    expect(breaker.state).toBe('isolated')
  })
})

describe('events and counters', () => {
  it('tell the life of a breaker', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, name: 'claude', openFor: '1s' })
    const told: unknown[] = []
    for (const name of ['open', 'close', 'half-open', 'reject', 'isolate'] as const) {
      breaker.on(name, (event) => told.push([name, event]))
    }
    await fail(breaker)
    await fail(breaker)
    await clock.advance('1s')
    await succeed(breaker)
    breaker.isolate('why')[Symbol.dispose]()
    const name = 'claude'
    expect(told).toEqual([
      ['open', { name, openForMs: 1000, openings: 1, cause: REFUSED }],
      ['reject', { name, error: expect.objectContaining({ code: 'ERR_CIRCUIT_OPEN' }) }],
      ['half-open', { name }],
      ['close', { name }],
      ['isolate', { name, isIsolated: true, reason: 'why' }],
      ['isolate', { name, isIsolated: false }],
    ])
    expect(breaker.stats()).toEqual({
      successes: 1,
      failures: 1,
      ignored: 0,
      slow: 0,
      timeouts: 0,
      late: 0,
      rejected: 1,
      probes: 1,
      opened: 1,
      closed: 1,
    })
  })

  it('tell each call until nobody listens any more', async () => {
    const { breaker, clock } = aBreaker({ slowCall: { duration: '1s' } })
    const told: unknown[] = []
    const stop = breaker.on('call', ({ verdict, ms, isSlow, isProbe, isLate }) => {
      told.push([verdict, ms, isSlow, isProbe, isLate])
    })
    await slowly(breaker, clock, 1500)
    await fail(breaker)
    stop()
    await fail(breaker)
    expect(told).toEqual([
      ['success', 1500, true, false, false],
      ['failure', 0, false, false, false],
    ])
  })

  it('reject with an error also when a listener of `reject` resets or isolates it', async () => {
    for (const act of ['reset', 'isolate'] as const) {
      const { breaker } = aBreaker(ONE_FAILURE)
      await fail(breaker)
      breaker.on('reject', () => breaker[act]())
      await expect(breaker(() => 1)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
    }
  })

  it('let no call through that a listener of `half-open` isolates it from', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    await fail(breaker)
    await clock.advance('1s')
    breaker.on('half-open', () => void breaker.isolate('not yet'))
    await expect(breaker(() => 1)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
    expect(breaker.stats()).toMatchObject({ rejected: 1, probes: 0 })
  })

  it('count a call as one like others when a listener of `half-open` closes it', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    await fail(breaker)
    await clock.advance('1s')
    breaker.on('half-open', () => breaker.reset())
    await fail(breaker)
    expect(breaker.state).toBe('open')
    expect(breaker.stats()).toMatchObject({ probes: 0, opened: 2 })
  })

  it('keep to the present when a listener resets it', async () => {
    const { breaker } = aBreaker(ONE_FAILURE)
    breaker.on('call', () => breaker.reset())
    await fail(breaker)
    expect(breaker.state).toBe('closed')
  })
})
