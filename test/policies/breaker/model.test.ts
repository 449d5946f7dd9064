import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Admission } from '../../../src/contracts/permit.ts'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import type { CircuitBreakerOptions } from '../../../src/policies/breaker/breaker-options.ts'
import {
  type CircuitBreaker,
  circuitBreaker,
} from '../../../src/policies/breaker/circuit-breaker.ts'
import { loadOpossum } from '../../../src/policies/breaker/engine.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const OPEN_MS = 700
const SLICE_MS = 100
const SLICES = 10

type Settings = Required<Pick<CircuitBreakerOptions, 'failureRate' | 'minimumCalls'>> & {
  window:
    | { type: 'time' }
    | { type: 'count'; size: number }
    | { type: 'consecutive'; failures: number }
  slowRate: number
  probes: number
  successRate: number
}

type Step =
  | { do: 'begin' }
  | { do: 'end'; which: number; as: 'value' | 'error' | 'dropped' }
  | { do: 'wait'; ms: number }
  | { do: 'isolate' }
  | { do: 'release' }
  | { do: 'reset' }

interface ModelCall {
  period: number
  at: number
  probe: boolean
}

/** The same by plain lists: every call is remembered, nothing is counted along the way. */
class Model {
  now = 0
  period = 0
  opened: number | undefined
  round: boolean[] | undefined
  inFlight = 0
  isolated = 0
  past: { failed: boolean; slow: boolean; at: number }[] = []
  readonly settings: Settings

  constructor(settings: Settings) {
    this.settings = settings
  }

  get state(): string {
    if (this.isolated > 0) return 'isolated'
    if (this.round) return 'half-open'
    if (this.opened === undefined) return 'closed'
    return this.now < this.opened + OPEN_MS ? 'open' : 'half-open'
  }

  begin(): ModelCall | undefined {
    const { state } = this
    if (state === 'closed') return { period: this.period, at: this.now, probe: false }
    if (state !== 'half-open') return undefined
    if (!this.round) {
      this.change()
      this.round = []
      this.inFlight = 0
    }
    if (this.inFlight + this.round.length >= this.settings.probes) return undefined
    this.inFlight++
    return { period: this.period, at: this.now, probe: true }
  }

  end(call: ModelCall, as: 'value' | 'error' | 'dropped'): void {
    if (call.period !== this.period) return
    const failed = as === 'error'
    const slow = this.now - call.at > 50
    if (call.probe) this.probed(as, slow)
    else if (as !== 'dropped') this.judge(failed, slow)
  }

  probed(as: string, slow: boolean): void {
    this.inFlight--
    if (as === 'dropped') return
    const { probes, successRate, window } = this.settings
    const isSlow = slow && window.type !== 'consecutive'
    const round = this.round as boolean[]
    round.push(as === 'value' && !isSlow)
    const good = round.filter(Boolean).length
    const best = good + (probes - round.length)
    if (good / probes >= successRate) this.reset()
    else if (best / probes < successRate) this.open()
  }

  judge(failed: boolean, slow: boolean): void {
    const { window, failureRate, minimumCalls, slowRate } = this.settings
    this.past.push({ failed, slow, at: this.now })
    if (window.type === 'consecutive') {
      const last = this.past.slice(-window.failures)
      if (last.length === window.failures && last.every((one) => one.failed)) this.open()
      return
    }
    if (!failed && !slow) return
    const counted = window.type === 'count' ? this.past.slice(-window.size) : this.inSlices()
    if (counted.length < minimumCalls) return
    const share = (of: 'failed' | 'slow') =>
      counted.filter((one) => one[of]).length / counted.length
    if (share('failed') >= failureRate || share('slow') >= slowRate) this.open()
  }

  /** Slices are counted from the first call after the last was forgotten. */
  inSlices() {
    let begins = 0
    let newest = Number.NEGATIVE_INFINITY
    for (const { at } of this.past) {
      const slice = Math.floor((at - begins) / SLICE_MS)
      if (slice > newest + SLICES || newest === Number.NEGATIVE_INFINITY) {
        begins = at
        newest = 0
      } else newest = Math.max(newest, slice)
    }
    return this.past.filter(({ at }) => Math.floor((at - begins) / SLICE_MS) > newest - SLICES)
  }

  open(): void {
    this.opened = this.now
    this.change()
  }

  change(): void {
    this.period++
    this.round = undefined
  }

  reset(): void {
    this.opened = undefined
    this.past = []
    this.change()
  }
}

const share = fc.constantFrom(0.1, 0.25, 0.5, 0.7, 1)

const settingsOf: fc.Arbitrary<Settings> = fc.record({
  window: fc.oneof(
    fc.constant({ type: 'time' } as const),
    fc.record({ type: fc.constant('count' as const), size: fc.integer({ min: 4, max: 12 }) }),
    fc.record({
      type: fc.constant('consecutive' as const),
      failures: fc.integer({ min: 1, max: 4 }),
    }),
  ),
  failureRate: share,
  minimumCalls: fc.integer({ min: 1, max: 4 }),
  slowRate: share,
  probes: fc.integer({ min: 1, max: 4 }),
  successRate: share,
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'begin' }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(50),
      as: fc.constantFrom('value', 'error', 'error', 'dropped'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 10, 60, 150, 290, OPEN_MS, 2000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>({ do: 'isolate' }, { do: 'release' }, { do: 'reset' }),
  },
)

/** The breaker and the model, taking the same steps. */
class Pair {
  readonly clock = new FakeClock(0)
  readonly breaker: CircuitBreaker
  readonly model: Model
  readonly #calls: [Admission, ModelCall][] = []
  readonly #isolations: Disposable[] = []

  constructor(settings: Settings) {
    this.model = new Model(settings)
    const { window, failureRate, minimumCalls, slowRate, probes, successRate } = settings
    const isRow = window.type === 'consecutive'
    this.breaker = circuitBreaker({
      clock: this.clock,
      openFor: OPEN_MS,
      window:
        window.type === 'time'
          ? { type: 'time', duration: SLICE_MS * SLICES, buckets: SLICES }
          : window,
      ...(!isRow && { failureRate, minimumCalls, slowCall: { duration: 50, rate: slowRate } }),
      halfOpen: { probes, successRate, probeTimeout: '1h' },
    })
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'end') this.#end(step.which, step.as)
    else if (step.do === 'wait') await this.#wait(step.ms)
    else this[step.do]()
    expect(this.breaker.state).toBe(this.model.state)
  }

  begin(): void {
    const [real, expected] = [this.breaker.admit(), this.model.begin()]
    expect(isResilienceError(real)).toBe(expected === undefined)
    if (!isResilienceError(real) && expected) this.#calls.push([real, expected])
  }

  isolate(): void {
    this.#isolations.push(this.breaker.isolate())
    this.model.isolated++
    this.model.change()
  }

  release(): void {
    const isolation = this.#isolations.pop()
    isolation?.[Symbol.dispose]()
    if (isolation && --this.model.isolated === 0) this.model.change()
  }

  reset(): void {
    this.breaker.reset()
    this.#isolations.length = this.model.isolated = 0
    this.model.reset()
  }

  endAll(): void {
    for (const [admission] of this.#calls) admission.dropped()
  }

  #end(which: number, as: 'value' | 'error' | 'dropped'): void {
    const [found] = this.#calls.splice(which % Math.max(1, this.#calls.length), 1)
    if (!found) return
    const [admission, expected] = found
    if (as === 'dropped') admission.dropped()
    else admission.ended(as === 'value' ? { value: 1 } : { error: 1 })
    this.model.end(expected, as)
  }

  async #wait(ms: number): Promise<void> {
    this.model.now += ms
    await this.clock.advance(ms)
  }
}

async function play(settings: Settings, steps: readonly Step[]): Promise<void> {
  const pair = new Pair(settings)
  for (const step of steps) await pair.take(step)
  pair.endAll()
  expect(pair.clock.pending).toBe(0)
}

describe('any life of a breaker', () => {
  beforeAll(loadOpossum)

  // fast-check prints the seed and the shortest counterexample.
  it('is as that of a model that remembers every call', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(settingsOf, fc.array(step, { minLength: 10, maxLength: 120 }), play),
      { numRuns: 400 },
    )
  })
})
