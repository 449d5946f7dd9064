import { describe, expect, it } from 'vitest'
import { isRunner } from '../../../src/contracts/runner.ts'
import { isResilienceError, ResilienceError } from '../../../src/kernel/errors.ts'
import { aBreaker, fail, ONE_FAILURE, REFUSED, settled, succeed } from './fixture.ts'

const hang = (): Promise<never> => new Promise(() => {})

describe('a call', () => {
  it('is one of a Runner', () => {
    expect(isRunner(aBreaker().breaker)).toBe(true)
    expect(aBreaker({ name: 'claude' }).breaker.name).toBe('claude')
  })

  it('is begun at once, before anything is awaited', () => {
    let began = false
    void aBreaker().breaker(() => {
      began = true
    })
    expect(began).toBe(true)
  })

  it('has a signal of its own, so that nothing is left on a shared one', async () => {
    const { breaker } = aBreaker()
    const signals = new Set<AbortSignal>()
    for (let i = 0; i < 3; i++) await breaker((signal) => signals.add(signal))
    expect(signals.size).toBe(3)
  })

  it('settles thenables', async () => {
    const { breaker } = aBreaker({ timeout: '1s' })
    // biome-ignore lint/suspicious/noThenProperty: that is what a thenable has
    const thenable = { then: (resolve: (value: number) => void) => resolve(7) }
    expect(await breaker(() => thenable as PromiseLike<number>)).toBe(7)
  })
})

describe('the signal of the caller', () => {
  it('ends the call at once, also where the task does not listen, and says nothing', async () => {
    const { breaker, clock } = aBreaker(ONE_FAILURE)
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const call = breaker((signal) => {
      seen = signal
      return hang()
    }, controller)
    controller.abort(new Error('user left'))
    await expect(call).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      retryable: false,
      message: 'the call was aborted by its signal',
      cause: controller.signal.reason,
    })
    expect(seen?.aborted).toBe(true)
    expect(breaker.state).toBe('closed')
    expect(breaker.stats()).toMatchObject({ ignored: 1, failures: 0 })
    expect(clock.pending).toBe(0)
  })

  it('reaches the task also where there is a time-out', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, timeout: '1s' })
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const call = breaker((signal) => {
      seen = signal
      return hang()
    }, controller)
    controller.abort('why')
    await expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(seen?.reason).toBe('why')
    expect(clock.pending).toBe(0)
    expect(breaker.state).toBe('closed')
  })

  it('that is aborted already begins nothing', async () => {
    const { breaker } = aBreaker()
    let ran = false
    const call = breaker(
      () => {
        ran = true
      },
      { signal: AbortSignal.abort() },
    )
    await expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(ran).toBe(false)
  })

  it('is left without a listener however the call ends', async () => {
    const { breaker, clock } = aBreaker({ timeout: '1s', window: { type: 'count', size: 100 } })
    const { signal } = new AbortController()
    const kept = new Set<unknown>()
    const [add, remove] = [signal.addEventListener, signal.removeEventListener]
    signal.addEventListener = function (this: AbortSignal, ...args: never[]) {
      kept.add(args[1])
      ;(add as (...args: never[]) => void).apply(this, args)
    }
    signal.removeEventListener = function (this: AbortSignal, ...args: never[]) {
      kept.delete(args[1])
      ;(remove as (...args: never[]) => void).apply(this, args)
    }
    const hung = breaker(hang, { signal })
    hung.catch(() => {})
    expect(kept.size).toBe(1)
    await clock.advance('1s')
    await expect(hung).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    await breaker(() => 1, { signal })
    await expect(breaker(() => Promise.reject(REFUSED), { signal })).rejects.toBe(REFUSED)
    expect(kept.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('a time-out', () => {
  it('is a failure, aborts the signal with its error, and says what to do', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, name: 'claude', timeout: '2s' })
    let seen: AbortSignal | undefined
    const call = breaker((signal) => {
      seen = signal
      return hang()
    })
    const error = call.catch((thrown: unknown) => thrown)
    await clock.advance('2s')
    expect(await error).toMatchObject({
      code: 'ERR_TIMEOUT',
      retryable: true,
      message:
        "a call through the circuit 'claude' has not ended within 2000 ms; set a longer timeout if that is usual",
    })
    expect(seen?.reason).toBe(await error)
    expect(breaker.state).toBe('open')
    expect(breaker.stats()).toMatchObject({ timeouts: 1, failures: 1 })
  })

  it('lets what the task does afterwards go unheard', async () => {
    const { breaker, clock } = aBreaker({ timeout: '1s' })
    const { promise, reject } = Promise.withResolvers<never>()
    const call = breaker(() => promise).catch(() => {})
    await clock.advance('1s')
    await call
    reject(new Error('late')) // would be an unhandled rejection, which fails the run
    await settled()
    expect(breaker.stats()).toMatchObject({ timeouts: 1, failures: 1, late: 0 })
  })
})

describe('the deadline of a call', () => {
  it('ends it, and says nothing of the dependency', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, timeout: '2s' })
    const call = breaker(hang, { deadline: clock.now() + 500 })
    call.catch(() => {})
    await clock.advance(500)
    await expect(call).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(breaker.state).toBe('closed')
    expect(breaker.stats()).toMatchObject({ ignored: 1, timeouts: 0 })
  })

  it('that has passed begins nothing', async () => {
    const { breaker, clock } = aBreaker()
    let ran = false
    const call = breaker(
      () => {
        ran = true
      },
      { deadline: clock.now() },
    )
    await expect(call).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(ran).toBe(false)
  })
})

describe('classify', () => {
  it.each(['ERR_BULKHEAD_FULL', 'ERR_RATE_LIMITED', 'ERR_ABORTED'] as const)(
    'by default ignores %s',
    async (code) => {
      const { breaker } = aBreaker(ONE_FAILURE)
      await fail(breaker, 1, new ResilienceError(code, 'own load'))
      expect(breaker.state).toBe('closed')
      expect(breaker.stats()).toMatchObject({ ignored: 1, failures: 0 })
    },
  )

  it('decides by error, value and time, and may leave it to the default', async () => {
    const seen: unknown[] = []
    const { breaker, clock } = aBreaker({
      window: { type: 'count', size: 100 },
      classify(outcome) {
        seen.push(outcome)
        if (outcome.value === 503) return 'failure'
        return outcome.error === 404 ? 'success' : undefined
      },
    })
    await breaker(async () => 503)
    await fail(breaker, 1, 404)
    await fail(breaker, 1, null)
    const call = breaker(() => new Promise((resolve) => clock.setTimeout(() => resolve(1), 5)))
    await clock.advance(5)
    await call
    expect(seen).toEqual([
      { value: 503, ms: 0 },
      { error: 404, ms: 0 },
      { error: null, ms: 0 },
      { value: 1, ms: 5 },
    ])
    expect(breaker.stats()).toMatchObject({ successes: 2, failures: 2, ignored: 0 })
  })

  it('that throws or gives nonsense is nobody else’s problem', async () => {
    const { breaker } = aBreaker({
      classify({ value }) {
        if (value === 1) throw new Error('mine')
        return 'nonsense' as never
      },
    })
    expect(await breaker(() => 1)).toBe(1)
    expect(await breaker(() => 2)).toBe(2)
    expect(breaker.stats().successes).toBe(2)
  })
})

describe('wrap', () => {
  it('keeps this and the arguments', async () => {
    const { breaker } = aBreaker()
    const service = {
      base: 10,
      add: breaker.wrap(async function (this: { base: number }, a: number, b: string) {
        return `${this.base + a}${b}`
      }),
    }
    expect(await service.add(1, '!')).toBe('11!')
  })

  it('makes a rejection of what the function throws', async () => {
    const wrapped = aBreaker().breaker.wrap(() => {
      throw REFUSED
    })
    await expect(wrapped()).rejects.toBe(REFUSED)
  })
})

describe('the manual form', () => {
  it('gives leave, or the error, without a promise', () => {
    const { breaker } = aBreaker(ONE_FAILURE)
    const leave = breaker.admit()
    if (isResilienceError(leave)) throw leave
    leave.ended({ error: undefined })
    leave.ended({ error: REFUSED })
    leave.dropped()
    expect(breaker.stats()).toMatchObject({ failures: 1, ignored: 0 })
    expect(breaker.admit()).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' })
  })

  it('counts nothing that was dropped', async () => {
    const { breaker } = aBreaker(ONE_FAILURE)
    const leave = breaker.admit()
    if (isResilienceError(leave)) throw leave
    leave.dropped()
    await succeed(breaker)
    expect(breaker.stats()).toMatchObject({ ignored: 1, successes: 1 })
    expect(breaker.state).toBe('closed')
  })
})
