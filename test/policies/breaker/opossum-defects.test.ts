import Opossum from 'opossum'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../../src/index.ts'
import { ResilienceError } from '../../../src/kernel/errors.ts'
import { Circuit } from '../../../src/policies/breaker/circuit.ts'
import { loadOpossum } from '../../../src/policies/breaker/engine.ts'
import { resolveBreakerOptions } from '../../../src/policies/breaker/resolve-options.ts'
import { runUnderCircuit } from '../../../src/policies/breaker/run-under-circuit.ts'
import { aBreaker, aCall, fail, ONE_FAILURE, REFUSED, settled, succeed } from './fixture.ts'

// What opossum 10 does to its users, and that it does not do it to ours, though it is the engine.

const raws: Opossum[] = []

function raw<T>(
  action: (...args: never[]) => Promise<T>,
  options: Opossum.Options = {},
): Opossum<never[], T> {
  const breaker = new Opossum(action, { enableSnapshots: false, ...options })
  raws.push(breaker as unknown as Opossum)
  return breaker
}

const failing = async (): Promise<never> => {
  throw REFUSED
}

async function tryTimes(times: number, call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await call().catch(() => {})
}

beforeAll(loadOpossum)

afterEach(() => {
  for (const breaker of raws.splice(0)) breaker.shutdown()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('1: a failed call', () => {
  /** Elements that are sorted while `call` runs. */
  async function sortedDuring(call: () => Promise<unknown>): Promise<number> {
    let sorted = 0
    const { sort } = Array.prototype
    vi.spyOn(Array.prototype, 'sort').mockImplementation(function (this: unknown[], compare) {
      sorted += this.length
      return sort.call(this, compare)
    })
    await call()
    vi.restoreAllMocks()
    return sorted
  }

  it('costs raw opossum a sort of all calls of the window', async () => {
    const breaker = raw(async (fails?: boolean) => (fails ? failing() : 1), {
      volumeThreshold: 1_000_000,
    })
    await tryTimes(1000, () => breaker.fire())
    const once = () => tryTimes(1, () => breaker.fire(true as never))
    expect(await sortedDuring(once)).toBeGreaterThanOrEqual(1000)
  })

  it('makes ours sort nothing', async () => {
    const { breaker } = aBreaker()
    await succeed(breaker, 1000)
    expect(await sortedDuring(() => fail(breaker))).toBe(0)
  })
})

describe('2: saturation by our own load', () => {
  it('opens raw opossum on a dependency that is well', async () => {
    const breaker = raw(async () => 1, { capacity: 2 })
    await Promise.allSettled(Array.from({ length: 10 }, () => breaker.fire()))
    expect(breaker.opened).toBe(true)
  })

  it('leaves ours closed', async () => {
    const { breaker } = aBreaker({ minimumCalls: 1 })
    let free = 2
    const calls = Array.from({ length: 10 }, () =>
      breaker(async () => {
        if (free === 0) throw new ResilienceError('ERR_BULKHEAD_FULL', 'no place')
        free--
        return 1
      }),
    )
    await Promise.allSettled(calls)
    expect(breaker.state).toBe('closed')
    expect(breaker.stats()).toMatchObject({ successes: 2, failures: 0, ignored: 8 })
  })
})

describe('3: what never reached the dependency', () => {
  it('hides 40 failures in a row from raw opossum: hits of its cache', async () => {
    let isWell = true
    const breaker = raw(async (_key: string) => (isWell ? 1 : failing()), { cache: true })
    await tryTimes(99, () => breaker.fire('hot' as never))
    isWell = false
    let key = 0
    await tryTimes(40, () => breaker.fire(`cold-${key++}` as never))
    expect(breaker.stats.cacheHits).toBe(98)
    expect(breaker.closed).toBe(true)
  })

  it('hides nothing from ours: hits of a cache in front of it', async () => {
    const { breaker } = aBreaker()
    let isWell = true
    const cache = createCache({ name: 'breaker-test', ttl: '1m' })
    const load = cache.cached(
      breaker.wrap(async (_key: string) => (isWell ? 1 : failing())),
      { name: 'load' },
    )
    await tryTimes(99, () => load('hot'))
    isWell = false
    let key = 0
    await tryTimes(10, () => load(`cold-${key++}`))
    expect(breaker.state).toBe('open')
    await cache.close()
  })

  it('hides failures from raw opossum: calls that it has rejected itself', async () => {
    vi.useFakeTimers()
    let isWell = false
    const breaker = raw(async () => (isWell ? 1 : failing()), {
      resetTimeout: 1000,
      timeout: false,
    })
    await tryTimes(100, () => breaker.fire()) // opens at the first
    vi.advanceTimersByTime(1000)
    isWell = true
    await breaker.fire()
    isWell = false
    await tryTimes(40, () => breaker.fire())
    expect(breaker.closed).toBe(true)
  })

  it('hides nothing from ours: calls that it has rejected', async () => {
    const { breaker, clock } = aBreaker({ openFor: '1s' })
    await fail(breaker, 100)
    expect(breaker.stats()).toMatchObject({ failures: 10, rejected: 90 })
    await clock.advance('1s')
    await succeed(breaker)
    await fail(breaker, 10)
    expect(breaker.state).toBe('open')
  })
})

describe('4: the exported state', () => {
  it('of raw opossum knows when it was made, not when it opened: restored, it is half-open', async () => {
    vi.useFakeTimers()
    const options = { resetTimeout: 30_000, timeout: false } as const
    const breaker = raw(failing, options)
    vi.advanceTimersByTime(60_000)
    await tryTimes(1, () => breaker.fire())
    const { state } = breaker.toJSON()
    expect(raw(failing, { ...options, state } as object).halfOpen).toBe(true)
  })

  it('of ours knows when it opened', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '30s' })
    await clock.advance('60s')
    await fail(breaker)
    const state = JSON.parse(JSON.stringify(breaker.snapshot()))
    await clock.advance('10s')
    const next = aBreaker({ state, clock }).breaker
    expect(next.state).toBe('open')
    expect(next.admit()).toMatchObject({ retryAfterMs: 20_000 })
  })
})

describe('5: the signal', () => {
  it('of raw opossum is one for all: a time-out aborts the calls that are well', async () => {
    vi.useFakeTimers()
    const abortController = new AbortController()
    const breaker = raw((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)), {
      timeout: 1000,
      abortController,
    } as never)
    const slow = breaker.fire(5000 as never)
    vi.advanceTimersByTime(900)
    // What a call that begins now is given.
    const innocent = (breaker as unknown as { getSignal(): AbortSignal }).getSignal()
    vi.advanceTimersByTime(100)
    await expect(slow).rejects.toThrow('Timed out')
    expect(innocent.aborted).toBe(true)
  })

  it('of ours is one for each call', async () => {
    const { breaker, clock } = aBreaker({ timeout: '1s' })
    const signals: AbortSignal[] = []
    const hang = (signal: AbortSignal): Promise<never> => {
      signals.push(signal)
      return new Promise(() => {})
    }
    const slow = breaker(hang)
    await clock.advance(900)
    breaker(hang).catch(() => {})
    slow.catch(() => {})
    await clock.advance(100)
    await expect(slow).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await clock.advance('1s')
  })
})

describe('5: a probe that hangs', () => {
  it('holds raw opossum half-open for ever', async () => {
    vi.useFakeTimers()
    let hangs = false
    const breaker = raw(() => (hangs ? new Promise(() => {}) : failing()), {
      timeout: false,
      resetTimeout: 1000,
    })
    await tryTimes(1, () => breaker.fire())
    vi.advanceTimersByTime(1000)
    hangs = true
    void breaker.fire()
    hangs = false
    vi.advanceTimersByTime(86_400_000)
    await expect(breaker.fire()).rejects.toThrow('Breaker is open')
    expect(breaker.halfOpen).toBe(true)
  })

  it('has failed in ours after its time-out', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    await fail(breaker)
    await clock.advance('1s')
    const probe = aCall(breaker)
    await clock.advance('10s')
    await expect(probe.done).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(breaker.state).toBe('open')
    await clock.advance('1s')
    await succeed(breaker)
    expect(breaker.state).toBe('closed')
  })
})

describe('5: by default', () => {
  it('raw opossum opens at a single failure', async () => {
    const breaker = raw(failing)
    await tryTimes(1, () => breaker.fire())
    expect(breaker.opened).toBe(true)
  })

  it('ours needs ten calls', async () => {
    const { breaker } = aBreaker()
    await fail(breaker, 9)
    expect(breaker.state).toBe('closed')
  })

  it('raw opossum takes a function that returns undefined for a failure', async () => {
    const breaker = raw((() => undefined) as never)
    await expect(breaker.fire()).rejects.toThrow(TypeError)
  })

  it('ours takes it for a success', async () => {
    const { breaker } = aBreaker()
    await breaker(() => undefined)
    expect(breaker.stats()).toMatchObject({ successes: 1, failures: 0 })
  })
})

describe('5: memory and timers', () => {
  /** Numbers that a breaker of opossum keeps. */
  const kept = (breaker: Opossum | undefined): number | undefined =>
    (breaker?.status.window as unknown as { latencyTimes: number[] }[] | undefined)?.reduce(
      (sum, { latencyTimes }) => sum + latencyTimes.length,
      0,
    )

  it('of raw opossum: every latency, even without percentiles', async () => {
    const breaker = raw(async () => 1, { rollingPercentilesEnabled: false })
    await tryTimes(500, () => breaker.fire())
    expect(kept(breaker as unknown as Opossum)).toBe(500)
  })

  it('of ours: no latency, though the engine counts', async () => {
    const circuit = new Circuit(resolveBreakerOptions({}))
    await tryTimes(500, () => runUnderCircuit(circuit, () => 1))
    const { opossum } = circuit.engine
    expect(kept(opossum)).toBe(0)
    expect(opossum?.stats).toMatchObject({ successes: 500, failures: 0 })
  })

  it('of raw opossum: an interval for each breaker; of ours: none', async () => {
    const intervals = vi.spyOn(globalThis, 'setInterval')
    const timers = vi.spyOn(globalThis, 'setTimeout')
    raw(async () => 1)
    expect(intervals).toHaveBeenCalledTimes(1)
    intervals.mockClear()
    const circuit = new Circuit(resolveBreakerOptions({}))
    await tryTimes(10, () => runUnderCircuit(circuit, () => 1))
    await settled()
    expect(circuit.engine.opossum).toBeDefined()
    expect(intervals).not.toHaveBeenCalled()
    expect(timers).not.toHaveBeenCalled()
  })
})

describe('5: health checks', () => {
  it('of raw opossum go on after its shutdown', () => {
    vi.useFakeTimers()
    const breaker = raw(async () => 1)
    let checks = 0
    breaker.healthCheck(async () => {
      checks++
    }, 20)
    breaker.shutdown()
    vi.advanceTimersByTime(200)
    expect(checks).toBe(11)
  })

  it('ours does without: it calls nothing that nobody has called', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    let calls = 0
    await breaker(() => {
      calls++
      throw REFUSED
    }).catch(() => {})
    await clock.advance('1d')
    expect(calls).toBe(1)
  })
})
