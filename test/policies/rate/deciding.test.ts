import { describe, expect, it } from 'vitest'
import { concurrency, perMinute, perSecond } from '../../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

describe('tryAcquire', () => {
  it('lets a burst through, then says when to try again', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { requests: perSecond(10, { burst: 3 }) }, clock })
    expect([1, 2, 3].map(() => limiter.tryAcquire().ok)).toEqual([true, true, true])
    expect(limiter.tryAcquire()).toEqual({ ok: false, retryAfterMs: 100 })
    await clock.advance(99)
    expect(limiter.tryAcquire()).toEqual({ ok: false, retryAfterMs: 1 })
    await clock.advance(1)
    expect(limiter.tryAcquire().ok).toBe(true)
    expect(limiter.stats()).toMatchObject({ acquired: 4, rejected: 2, waiting: 0 })
  })

  it('has a whole period as burst where none is given', () => {
    const limiter = rateLimiter({ limits: { requests: perMinute(4) }, clock: new FakeClock() })
    const granted = Array.from({ length: 10 }, () => limiter.tryAcquire().ok)
    expect(granted.filter(Boolean)).toHaveLength(4)
    expect(limiter.tryAcquire()).toEqual({ ok: false, retryAfterMs: 15_000 })
  })

  it('lets one through at rates below one', () => {
    const limiter = rateLimiter({ limits: { requests: perMinute(0.5) }, clock: new FakeClock() })
    expect(limiter.tryAcquire().ok).toBe(true)
    expect(limiter.tryAcquire()).toEqual({ ok: false, retryAfterMs: 120_000 })
  })

  it('takes from all dimensions, or from none', () => {
    const limiter = rateLimiter({
      limits: { requests: perSecond(10), input: perSecond(1000), inFlight: concurrency(2) },
      clock: new FakeClock(),
    })
    expect(limiter.tryAcquire({ input: 800 }).ok).toBe(true)
    expect(limiter.tryAcquire({ input: 300 })).toEqual({ ok: false, retryAfterMs: 100 })
    expect(limiter.stats().available).toEqual({ requests: 9, input: 200, inFlight: 1 })
  })

  it('does not overtake those who wait', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { tokens: perSecond(100) }, clock })
    limiter.tryAcquire(50)
    const large = limiter.acquire(100)
    expect(limiter.tryAcquire(1)).toMatchObject({ ok: false })
    await clock.advance(500)
    expect((await large).ok).toBe(true)
  })

  it('guesses by how long permits were held when too many are in flight', async () => {
    const clock = new FakeClock()
    const limiter = rateLimiter({ limits: { inFlight: concurrency(1) }, clock })
    for (let i = 0; i < 40; i++) {
      const permit = limiter.tryAcquire()
      await clock.advance(400)
      if (permit.ok) permit.release()
    }
    limiter.tryAcquire()
    const refusal = limiter.tryAcquire()
    expect(refusal.ok || refusal.retryAfterMs).toBeGreaterThan(390)
  })
})

describe('a cost', () => {
  const clock = new FakeClock()
  const rates = { input: perSecond(1000), requests: perSecond(10) }
  const left = (limits: Parameters<typeof rateLimiter>[0]['limits'], cost?: never) => {
    const limiter = rateLimiter({ limits, clock })
    expect(limiter.tryAcquire(cost).ok).toBe(true)
    return limiter.stats().available
  }

  it('that is left out is 1 in requests, 0 elsewhere, 1 in flight', () => {
    const limits = { ...rates, inFlight: concurrency(5) }
    expect(left(limits)).toEqual({ input: 1000, requests: 9, inFlight: 4 })
    expect(left(limits, { input: 7 } as never)).toEqual({ input: 993, requests: 9, inFlight: 4 })
  })

  it('that is left out is 1 in the only rate', () => {
    expect(left({ tokens: perSecond(10), inFlight: concurrency(5) })).toEqual({
      tokens: 9,
      inFlight: 4,
    })
  })

  it('that is left out is nothing where several rates are none of requests', () => {
    expect(left({ input: perSecond(10), output: perSecond(10) })).toEqual({ input: 10, output: 10 })
  })

  it('that is a number means requests, else the first', () => {
    expect(left(rates, 3 as never)).toEqual({ input: 1000, requests: 7 })
    expect(left({ input: perSecond(9), output: perSecond(9) }, 3 as never)).toEqual({
      input: 6,
      output: 9,
    })
    expect(left({ inFlight: concurrency(5) }, 3 as never)).toEqual({ inFlight: 2 })
  })

  it('may be 0', () => {
    expect(left(rates, 0 as never)).toEqual({ input: 1000, requests: 10 })
  })

  it('larger than the burst is an error and not a wait', async () => {
    const limiter = rateLimiter({ limits: { input: perMinute(80_000, { burst: 5000 }) }, clock })
    const message =
      "a cost of 5001 in 'input' can never be let through: at most 5000 fit at once; split the call, or raise the burst"
    expect(() => limiter.tryAcquire(5001)).toThrow(message)
    await expect(limiter.acquire({ input: 5001 })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      retryable: false,
      message,
    })
    await expect(limiter(() => 1, { weight: 5001 })).rejects.toThrow(message)
    expect(limiter.stats().available).toEqual({ input: 5000 })
  })

  it('of a dimension that there is not, or that is no number, is an error', () => {
    const limiter = rateLimiter({ limits: rates, clock })
    const refusal = (cost: unknown) => {
      try {
        limiter.tryAcquire(cost as number)
        return 'ACCEPTED'
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(
      [{ imput: 5 }, { input: -1 }, Number.NaN, { input: '5' }, 'x', null].map(refusal),
    ).toMatchInlineSnapshot(`
        [
          "unknown dimension of a cost: 'imput'; did you mean 'input'?",
          "the cost in 'input' must be a number ≥ 0, got -1",
          "the cost in 'requests' must be a number ≥ 0, got NaN",
          "the cost in 'input' must be a number ≥ 0, got '5'",
          "a cost must be a number or { dimension: number }, got 'x'",
          "a cost must be a number or { dimension: number }, got null",
        ]
      `)
  })
})

describe('settle', () => {
  const make = (clock = new FakeClock()) =>
    rateLimiter({
      limits: { requests: perMinute(100), output: perMinute(6000), inFlight: concurrency(1) },
      clock,
    })

  it('gives back what was estimated too much, and frees what is in flight', async () => {
    const limiter = make()
    const permit = await limiter.acquire({ output: 5000 })
    expect(limiter.stats().available).toEqual({ requests: 99, output: 1000, inFlight: 0 })
    permit.settle({ output: 200 })
    expect(limiter.stats().available).toEqual({ requests: 99, output: 5800, inFlight: 1 })
  })

  it('charges what was estimated too little, to be paid before anybody goes', async () => {
    const clock = new FakeClock()
    const limiter = make(clock)
    const permit = await limiter.acquire({ output: 1000 })
    permit.settle({ output: 9000 })
    expect(limiter.stats().available.output).toBe(-3000)
    expect(limiter.tryAcquire({ output: 100 })).toEqual({ ok: false, retryAfterMs: 31_000 })
    await clock.advance('31s')
    expect(limiter.tryAcquire({ output: 100 }).ok).toBe(true)
  })

  it('counts once, whatever else is called', async () => {
    const limiter = make()
    const permit = await limiter.acquire({ output: 5000 })
    permit.settle({ output: 1000 })
    permit.settle({ output: 0 })
    permit.release()
    permit[Symbol.dispose]()
    expect(limiter.stats().available).toEqual({ requests: 99, output: 5000, inFlight: 1 })
  })

  it('takes usage as providers give it, with members that have no value', async () => {
    const limiter = make()
    const permit = await limiter.acquire({ output: 500 })
    permit.settle({ output: null } as never)
    expect(limiter.stats().available.output).toBe(5500)
  })

  it('frees what is in flight even where it is called wrongly', async () => {
    const limiter = make()
    const permit = await limiter.acquire()
    expect(() => permit.settle({ outptu: 5 } as never)).toThrow("did you mean 'output'?")
    expect(limiter.stats().available.inFlight).toBe(1)
  })

  it('never makes a bucket more than full', async () => {
    const clock = new FakeClock()
    const limiter = make(clock)
    const permit = await limiter.acquire({ output: 6000 })
    await clock.advance('5m')
    permit.settle({ output: 0 })
    expect(limiter.stats().available.output).toBe(6000)
  })

  it('happens at the estimate with using', async () => {
    const limiter = make()
    {
      using permit = await limiter.acquire({ output: 500 })
      expect(permit.ok).toBe(true)
      expect(limiter.stats().available.inFlight).toBe(0)
    }
    expect(limiter.stats().available).toEqual({ requests: 99, output: 5500, inFlight: 1 })
  })

  it('lets the next one go at once', async () => {
    const clock = new FakeClock()
    const limiter = make(clock)
    const first = await limiter.acquire({ output: 6000 })
    const second = limiter.acquire({ output: 2000 })
    first.settle({ output: 100 })
    expect((await second).ok).toBe(true)
    expect(clock.pending).toBe(0)
  })
})
