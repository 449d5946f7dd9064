import {
  array,
  assert,
  asyncProperty,
  check,
  constantFrom,
  integer,
  property,
  record,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concurrency, perSecond } from '../../../src/policies/rate/limit.ts'
import { type RateLimiter, rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { type Outcome, states, watch } from './outcomes.ts'

const RATE = 20
const BURST = 10
const IN_FLIGHT = 4

/** One call: when it comes after the one before, what it costs, how long it is held, when it gives up. */
const call = record({
  afterMs: integer({ min: 0, max: 120 }),
  cost: integer({ min: 0, max: BURST }),
  actual: integer({ min: 0, max: BURST }),
  holdMs: integer({ min: 0, max: 400 }),
  abortMs: constantFrom(0, 0, 0, 30, 300),
  priority: constantFrom(0, 0, 1, 5),
  form: constantFrom('run', 'acquire', 'try', 'settle'),
})

interface Grant {
  readonly at: number
  readonly cost: number
}

/** The most that was taken, less what was given back, in any stretch of time beyond what may be. */
function excess(grants: readonly Grant[]): number {
  let worst = Number.NEGATIVE_INFINITY
  for (const [from, { at: start }] of grants.entries()) {
    let sum = 0
    for (const { at, cost } of grants.slice(from)) {
      sum += cost
      worst = Math.max(worst, sum - BURST - ((at - start) / 1000) * RATE)
    }
  }
  return worst
}

interface Call {
  readonly afterMs: number
  readonly cost: number
  readonly actual: number
  readonly holdMs: number
  readonly abortMs: number
  readonly priority: number
  readonly form: string
}

/** Makes one call, and writes down what it took and gave back, and when. */
class Customer {
  readonly grants: Grant[] = []
  readonly outcomes: Outcome[] = []
  held = 0
  mostHeld = 0
  readonly #clock: FakeClock
  readonly #limiter: RateLimiter

  constructor(clock: FakeClock, limiter: RateLimiter) {
    this.#clock = clock
    this.#limiter = limiter
  }

  make({ cost, actual, holdMs, abortMs, priority, form }: Call): void {
    const controller = new AbortController()
    if (abortMs > 0) this.#clock.setTimeout(() => controller.abort(), abortMs)
    const options = { signal: controller.signal, priority }
    const calls = {
      run: () => this.#limiter(() => this.#use(cost, holdMs), { ...options, weight: cost }),
      try: async () => {
        const permit = this.#limiter.tryAcquire(cost)
        if (!permit.ok) return
        await this.#use(cost, holdMs)
        permit.release()
      },
      acquire: async () => {
        using _permit = await this.#limiter.acquire(cost, options)
        await this.#use(cost, holdMs)
      },
      settle: async () => {
        const permit = await this.#limiter.acquire(cost, options)
        await this.#use(cost, holdMs)
        permit.settle(actual)
        this.grants.push({ at: this.#clock.now(), cost: Math.min(0, actual - cost) })
      },
    }
    this.outcomes.push(watch(calls[form as keyof typeof calls]()))
  }

  async #use(cost: number, ms: number): Promise<void> {
    this.grants.push({ at: this.#clock.now(), cost })
    this.mostHeld = Math.max(this.mostHeld, ++this.held)
    await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, ms))
    this.held--
  }
}

describe('whatever is called, and when', () => {
  it('no stretch of time sees more than rate × time + burst, and no permit is lost', async () => {
    const calls = array(call, { minLength: 1, maxLength: 60 })
    await assert(asyncProperty(calls, behaves), { numRuns: 60 })
  })

  async function behaves(calls: readonly Call[]): Promise<void> {
    const clock = new FakeClock()
    const limiter = rateLimiter({
      limits: { tokens: perSecond(RATE, { burst: BURST }), inFlight: concurrency(IN_FLIGHT) },
      queue: { maxWait: '1h', max: 1000 },
      clock,
    })
    const customer = new Customer(clock, limiter)
    for (const each of calls) {
      await clock.advance(each.afterMs)
      customer.make(each)
    }
    await clock.advance('10m')
    expect(excess(customer.grants)).toBeLessThan(1e-6)
    expect(customer.mostHeld).toBeLessThanOrEqual(IN_FLIGHT)
    // All are through, and all is as it was at first.
    const unexpected = states(customer.outcomes).filter((one) => !/^ok|ERR_ABORTED$/.test(one))
    expect(unexpected).toEqual([])
    const { waiting, running, available } = limiter.stats()
    expect({ waiting, running, available }).toEqual({
      waiting: 0,
      running: 0,
      available: { tokens: BURST, inFlight: IN_FLIGHT },
    })
    expect(clock.pending).toBe(0)
  }

  it('settling conserves: what is left is what was there less what it cost in the end', () => {
    const settled = record({
      estimate: integer({ min: 0, max: 40 }),
      actual: integer({ min: 0, max: 400 }),
    })
    const result = check(
      property(array(settled, { minLength: 1, maxLength: 20 }), (list) => {
        const limiter = rateLimiter({
          limits: { tokens: perSecond(1000), inFlight: concurrency(20) },
          clock: new FakeClock(),
        })
        const permits = list.map(({ estimate }) => limiter.tryAcquire(estimate))
        let spent = 0
        for (const [at, permit] of permits.entries()) {
          if (!permit.ok) continue
          permit.settle(list[at]?.actual)
          spent += list[at]?.actual ?? 0
        }
        const { available } = limiter.stats()
        return Math.abs((available.tokens ?? 0) - (1000 - spent)) <= 1 && available.inFlight === 20
      }),
    )
    expect(result.failed, `seed ${result.seed}: ${result.counterexample}`).toBe(false)
  })
})
