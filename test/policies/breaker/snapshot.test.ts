import { describe, expect, it } from 'vitest'
import type { BreakerSnapshot } from '../../../src/policies/breaker/snapshot.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { aBreaker, aCall, fail, ONE_FAILURE, succeed } from './fixture.ts'

const throughJson = (snapshot: BreakerSnapshot): BreakerSnapshot =>
  JSON.parse(JSON.stringify(snapshot))

/** Another process: its steady clock has nothing to do with that of the first. */
class Elsewhere extends FakeClock {
  readonly #wallAhead: number

  constructor(wall: number) {
    super(50)
    this.#wallAhead = wall - 50
  }

  override wall(): number {
    return super.wall() + this.#wallAhead
  }
}

describe('a snapshot', () => {
  it('keeps the remaining open time across processes', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '30s' })
    await clock.advance('1h')
    await fail(breaker)
    const openedAt = clock.wall()
    await clock.advance(1_234)
    const state = throughJson(breaker.snapshot())
    expect(state).toEqual({ version: 1, state: 'open', openings: 1, openedAt, openForMs: 30_000 })
    const next = new Elsewhere(clock.wall() + 2_000) // the restart took 2 s
    const restored = aBreaker({ ...ONE_FAILURE, state, clock: next }).breaker
    expect(restored.admit()).toMatchObject({
      code: 'ERR_CIRCUIT_OPEN',
      retryAfterMs: 30_000 - 1_234 - 2_000,
    })
    await next.advance(30_000 - 1_234 - 2_000)
    expect(restored.state).toBe('half-open')
    await fail(restored)
    expect(restored.snapshot()).toMatchObject({ openings: 2 })
  })

  it('keeps it within 50 ms on the real clock', async () => {
    const { circuitBreaker } = await import('../../../src/policies/breaker/circuit-breaker.ts')
    const breaker = circuitBreaker({ ...ONE_FAILURE, openFor: '30s' })
    await fail(breaker)
    const restored = circuitBreaker({ state: throughJson(breaker.snapshot()) })
    const [left, right] = [breaker.admit(), restored.admit()] as { retryAfterMs: number }[]
    expect(Math.abs((left?.retryAfterMs ?? 0) - (right?.retryAfterMs ?? 0))).toBeLessThan(50)
  })

  it('whose time is over is probed at once', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '30s' })
    await fail(breaker)
    const state = breaker.snapshot()
    const restored = aBreaker({ state, clock: new Elsewhere(clock.wall() + 31_000) }).breaker
    expect(restored.state).toBe('half-open')
    await succeed(restored)
    expect(restored.state).toBe('closed')
  })

  it('of a half-open breaker begins with probes', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '1s' })
    await fail(breaker)
    await clock.advance('1s')
    const probe = aCall(breaker)
    const restored = aBreaker({ state: throughJson(breaker.snapshot()), clock }).breaker
    expect(restored.state).toBe('half-open')
    probe.succeed()
  })

  it('is not led astray by a clock that was set back', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: '30s' })
    await fail(breaker)
    const next = new Elsewhere(clock.wall() - 3_600_000)
    const restored = aBreaker({ state: breaker.snapshot(), clock: next }).breaker
    expect(restored.admit()).toMatchObject({ retryAfterMs: 30_000 })
  })

  it('keeps an isolation, and an opening for ever', async () => {
    const { breaker, clock } = aBreaker({ ...ONE_FAILURE, openFor: Infinity })
    await fail(breaker)
    breaker.isolate('maintenance')
    const state = throughJson(breaker.snapshot())
    expect(state).toMatchObject({ state: 'isolated', reason: 'maintenance', openForMs: null })
    const restored = aBreaker({ state, clock }).breaker
    expect(restored.state).toBe('isolated')
    expect(throughJson(restored.snapshot())).toEqual(state)
    restored.reset()
    expect(restored.state).toBe('closed')
  })

  it('of a closed breaker says so', async () => {
    const { breaker } = aBreaker()
    expect(breaker.snapshot()).toEqual({ version: 1, state: 'closed', openings: 0 })
    expect(aBreaker({ state: breaker.snapshot() }).breaker.state).toBe('closed')
  })

  it('of a later version is left aside', () => {
    const state = { version: 2, mode: 'new' } as unknown as BreakerSnapshot
    expect(aBreaker({ state }).breaker.state).toBe('closed')
  })

  it.each<[unknown, string]>([
    ['open', "state must be what snapshot() gave, got 'open'"],
    [{ state: 'open' }, 'state must be what snapshot() gave, got an object'],
    [
      { version: 1, state: 'ajar', openings: 0 },
      'state must be what snapshot() gave; a member of it is wrong',
    ],
    [
      { version: 1, state: 'open', openings: 1, openedAt: 'now' },
      'state must be what snapshot() gave; a member of it is wrong',
    ],
    ...[
      { state: 'open', openedAt: 1 },
      { state: 'open' },
      { state: 'half-open' },
      { state: 'closed', openedAt: 1, openForMs: null },
      { state: 'isolated', openedAt: null },
      { state: 'isolated', reason: { why: 1 } },
      { state: 'closed', openings: 0.5 },
    ].map((members): [unknown, string] => [
      { version: 1, openings: 1, ...members },
      'state must be what snapshot() gave; a member of it is wrong',
    ]),
  ])('that is none is refused: %j', (state, message) => {
    expect(() => aBreaker({ state: state as never })).toThrow(message)
  })
})
