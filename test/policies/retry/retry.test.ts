import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResilienceError } from '../../../src/kernel/errors.ts'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { retry } from '../../../src/policies/retry/retry.ts'
import type { RetryOptions } from '../../../src/policies/retry/retry-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countedSignal, expectIdle, failsTimes, follow, Task } from '../guard/fixture.ts'

function aRetry(options: RetryOptions = {}) {
  const clock = new FakeClock(1_000_000)
  const run = retry({ clock, random: () => 0.5, ...options })
  return { clock, run }
}

/** When each attempt of a task that always fails is made, in milliseconds. */
async function attemptTimes(options: RetryOptions, error: unknown = new Error('down')) {
  const { clock, run } = aRetry(options)
  const start = clock.now()
  const times: number[] = []
  const call = follow(
    run(async () => {
      times.push(clock.now() - start)
      throw error
    }),
  )
  await clock.advance('1h')
  expect(call.error).toBe(error)
  expectIdle(clock)
  return times
}

describe('a task that fails', () => {
  it('is called three times in all by default, after growing waits', async () => {
    expect(await attemptTimes({})).toEqual([0, 50, 150])
  })

  it('gets its full wait without jitter, up to the maximum', async () => {
    const backoff = { initial: '1s', max: '3s', factor: 2, jitter: 'none' } as const
    expect(await attemptTimes({ attempts: 5, backoff })).toEqual([0, 1000, 3000, 6000, 9000])
  })

  it('is called once with attempts: 1', async () => {
    expect(await attemptTimes({ attempts: 1 })).toEqual([0])
  })

  it('is answered with the value of a later attempt', async () => {
    const { clock, run } = aRetry()
    const task = failsTimes(2)
    const call = follow(run(task.run))
    await clock.advance('1s')
    expect([call.value, task.count]).toEqual(['ok', 3])
    expect(run.stats()).toMatchObject({ calls: 1, succeeded: 1, failed: 0, retries: 2 })
  })

  it('is called anew where it throws at once, too', async () => {
    const { clock, run } = aRetry()
    let count = 0
    const call = follow(
      run(() => {
        if (++count < 2) throw new Error('at once')
        return count
      }),
    )
    await clock.advance('1s')
    expect(call.value).toBe(2)
  })

  it('has waits between 0 and the exponential bound, whatever chance says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 6 }), async (seed, attempts) => {
        const times = await attemptTimes({ attempts, random: seededRandom(seed) })
        expect(times.length).toBe(attempts)
        times.slice(1).forEach((at, i) => {
          const wait = at - (times[i] as number)
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThanOrEqual(Math.min(10_000, 100 * 2 ** i))
        })
      }),
      { numRuns: 30 },
    )
  })
})

describe('what is not repeated', () => {
  it.each([
    [
      'an error of this library that is not retryable',
      new ResilienceError('ERR_INVALID_OPTION', 'x'),
    ],
    ['an abort', new DOMException('x', 'AbortError')],
    ['an error that says so', Object.assign(new Error('x'), { retryable: false })],
    ['a status that blames the caller', Object.assign(new Error('x'), { status: 404 })],
    ['an open breaker without a deadline', openFor(10)],
  ])('%s', async (_, error) => {
    expect(await attemptTimes({}, error)).toEqual([0])
  })

  it.each([
    ['a time-out', new ResilienceError('ERR_TIMEOUT', 'x')],
    ['a full bulkhead', new ResilienceError('ERR_BULKHEAD_FULL', 'x')],
    ['a failed fetch', new TypeError('fetch failed')],
    ['a status that passes', Object.assign(new Error('x'), { status: 429 })],
    ['a status of a broken server', Object.assign(new Error('x'), { statusCode: 503 })],
    ['what is no error', undefined],
  ])('but %s is', async (_, error) => {
    expect(await attemptTimes({}, error)).toHaveLength(3)
  })

  it('is what retryIf says, asked with the number of the attempt', async () => {
    const asked: unknown[] = []
    const error = Object.assign(new Error('x'), { status: 404 })
    const retryIf = (given: unknown, attempt: number) => {
      asked.push([given, attempt])
      return attempt < 2
    }
    expect(await attemptTimes({ attempts: 5, retryIf }, error)).toHaveLength(2)
    expect(asked).toEqual([
      [error, 1],
      [error, 2],
    ])
  })

  it('is what retryIf is not even asked about', async () => {
    const retryIf = () => true
    expect(
      await attemptTimes({ retryIf }, new ResilienceError('ERR_UNCACHEABLE_KEY', 'x')),
    ).toHaveLength(1)
  })

  it('is the error that retryIf itself throws', async () => {
    const { clock, run } = aRetry({
      retryIf() {
        throw new Error('retryIf is broken')
      },
    })
    await expect(run(failsTimes(1).run)).rejects.toThrow('retryIf is broken')
    expectIdle(clock)
  })
})

describe('an error that asks for time', () => {
  it.each([
    ['retryAfterMs', { retryAfterMs: 5000 }],
    ['a header in seconds', { headers: new Headers({ 'Retry-After': '5' }) }],
    ['a header as Node has it', { headers: { 'retry-after': '5' } }],
    ['the header of its response', { response: { headers: { 'Retry-After': ['5'] } } }],
    ['a date', { headers: { 'retry-after': new Date(1_005_000).toUTCString() } }],
    ['milliseconds', { headers: { 'retry-after-ms': '5000' } }],
  ])('gets it: %s', async (_, asks) => {
    const error = Object.assign(new Error('busy'), asks)
    expect(await attemptTimes({ attempts: 2 }, error)).toEqual([0, 5000])
  })

  it('does not shorten the wait', async () => {
    const error = Object.assign(new Error('busy'), { retryAfterMs: 10 })
    expect(await attemptTimes({ attempts: 2 }, error)).toEqual([0, 50])
  })

  it('gets no more than a minute where no deadline bounds it', async () => {
    const error = Object.assign(new Error('busy'), { retryAfterMs: 60_001 })
    expect(await attemptTimes({ attempts: 2 }, error)).toEqual([0])
  })
})

describe('the deadline of a call', () => {
  it('is not waited for: what cannot end before it is not begun', async () => {
    const { clock, run } = aRetry({ backoff: { initial: '1s', jitter: 'none' } })
    const task = failsTimes(9)
    const call = follow(run(task.run, { deadline: clock.now() + 2500 }))
    await clock.advance(1000)
    expect([task.count, call.error]).toEqual([2, new Error('down')])
    expectIdle(clock)
  })

  it('ends a call whose task hangs', async () => {
    const { clock, run } = aRetry()
    const task = new Task()
    const call = follow(run(task.run, { deadline: clock.now() + 100 }))
    await clock.advance(100)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(task.last.signal.aborted).toBe(true)
  })

  it('leaves room to wait for an open breaker, or does not', async () => {
    const { clock, run } = aRetry()
    const long = follow(run(failsTimes(1, openFor(2000)).run, { deadline: clock.now() + 3000 }))
    const short = follow(run(failsTimes(1, openFor(2000)).run, { deadline: clock.now() + 1000 }))
    await clock.advance(0)
    expect(short.error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
    await clock.advance(2000)
    expect(long.value).toBe('ok')
  })
})

describe('the signal of a call', () => {
  it('ends a back-off', async () => {
    const { clock, run } = aRetry()
    const caller = countedSignal()
    const task = failsTimes(9)
    const call = follow(run(task.run, { signal: caller.signal }))
    await clock.advance(10)
    caller.controller.abort('enough')
    await clock.advance('1m')
    expect(call.error).toMatchObject({ code: 'ERR_ABORTED', cause: 'enough', retryable: false })
    expect(task.count).toBe(1)
    expectIdle(clock, caller)
    expect(run.stats()).toMatchObject({ aborted: 1, failed: 0, inFlight: 0 })
  })

  it('that was aborted before lets nothing begin', async () => {
    const { run } = aRetry()
    const task = failsTimes(0)
    await expect(run(task.run, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    expect(task.count).toBe(0)
  })

  it('has no listener left when the call has ended', async () => {
    const { run, clock } = aRetry()
    const caller = countedSignal()
    await run(failsTimes(0).run, { signal: caller.signal })
    expectIdle(clock, caller)
  })
})

describe('the budget', () => {
  it('bounds what is repeated, when everything fails, to its share and a few', async () => {
    const { clock, run } = aRetry({ backoff: { initial: 0, max: 0 } })
    const task = failsTimes(Number.POSITIVE_INFINITY)
    for (let i = 0; i < 1000; i++) await run(task.run).catch(() => {})
    expect(task.count).toBe(1000 + 100 + 10)
    // Only the first few calls could make all of their three attempts.
    expect(run.stats()).toMatchObject({ calls: 1000, retries: 110, retriesDenied: 995 })
    expectIdle(clock)
  })

  it('is saved up, for a hundred, while all goes well', async () => {
    const { run } = aRetry({ backoff: { initial: 0, max: 0 } })
    for (let i = 0; i < 5000; i++) await run(() => 1)
    const task = failsTimes(Number.POSITIVE_INFINITY)
    for (let i = 0; i < 60; i++) await run(task.run).catch(() => {})
    // The bucket was full, and the 60 calls add their share of 6; the first of them finds it full.
    expect(task.count - 60).toBe(105)
  })

  it('comes back slowly by itself in quiet times', async () => {
    const { clock, run } = aRetry({ attempts: 100, backoff: { initial: 0, max: 0 } })
    const task = failsTimes(Number.POSITIVE_INFINITY)
    await run(task.run).catch(() => {})
    expect(task.count).toBe(11)
    await clock.advance('30s')
    await run(task.run).catch(() => {})
    expect(task.count).toBe(11 + 1 + 3)
  })

  it('is told of when it is spent', async () => {
    const { run } = aRetry({ budget: 0 })
    const told: unknown[] = []
    run.on('budget-spent', (event) => told.push(event))
    await run(failsTimes(1).run).catch(() => {})
    expect(told).toEqual([{ name: 'retry()', stage: 'retry' }])
  })

  it('can be switched off', async () => {
    const { run } = aRetry({ budget: false, attempts: 50, backoff: { initial: 0, max: 0 } })
    expect(await run(failsTimes(49).run)).toBe('ok')
  })
})

describe('wrap', () => {
  it('keeps arguments, this and the name', async () => {
    const { run } = aRetry()
    const shop = {
      price: 3,
      total: run.wrap(async function total(this: { price: number }, count: number) {
        return this.price * count
      }),
    }
    expect(await shop.total(2)).toBe(6)
    expect(shop.total.name).toBe('total')
  })
})

describe('events', () => {
  it('tell of retries and of the call', async () => {
    const { clock, run } = aRetry({ name: 'users' })
    const told: unknown[] = []
    run.on('retry', (event) => told.push(event))
    const stop = run.on('call', (event) => told.push(event))
    const call = run(failsTimes(1).run)
    await clock.advance(50)
    await call
    stop()
    await run(failsTimes(0).run)
    expect(told).toEqual([
      { name: 'users', attempt: 1, delayMs: 50, error: new Error('down') },
      { name: 'users', result: 'ok', durationMs: 50, attempts: 2 },
    ])
  })
})

describe('misuse', () => {
  it.each([
    [{ attempt: 3 }, "unknown option of retry(): 'attempt'; did you mean 'attempts'?"],
    [{ attempts: 0 }, 'retry.attempts counts all calls, the first included: it must be ≥ 1, got 0'],
    [{ attempts: 1.5 }, 'retry.attempts must be a whole number ≥ 1, got 1.5'],
    [{ budget: 10 }, 'retry.budget must be a number from 0 to 1, got 10'],
    [
      { backoff: { initial: '20s' } },
      'retry.backoff.initial (20000 ms) is longer than retry.backoff.max (10000 ms): the first wait is the shortest; raise max',
    ],
    [
      { backoff: { jitter: 'half' } },
      "retry.backoff.jitter has no such choice: 'half'; known are full, none",
    ],
    [{ retryIf: true }, 'retryIf must be a function, got true'],
    [null, 'retry() takes an options object, got null'],
    [{ name: '' }, 'name of retry() must be text of 1 to 100 characters, got text'],
  ])('%j', (options, message) => {
    expect(() => retry(options as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    )
  })
})

function openFor(retryAfterMs: number): ResilienceError {
  return new ResilienceError('ERR_CIRCUIT_OPEN', 'open', { retryAfterMs })
}

describe('a wait without an end', () => {
  it('is none: the error is what the caller gets', async () => {
    const clock = new FakeClock()
    const never = { backoff: { initial: Infinity, max: Infinity }, budget: false } as const
    for (const random of [0, 0.5]) {
      const again = retry({ clock, random: () => random, ...never })
      await expect(again(failsTimes(9).run)).rejects.toThrow('down')
    }
    const patient = retry({ clock, backoff: { max: Infinity }, budget: false })
    const asked = Object.assign(new Error('never'), { retryAfterMs: Infinity })
    await expect(patient(failsTimes(9, asked).run)).rejects.toBe(asked)
    expect(clock.pending).toBe(0)
  })
})
