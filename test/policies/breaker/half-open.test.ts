import { describe, expect, it } from 'vitest'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import type { CircuitBreakerOptions } from '../../../src/policies/breaker/breaker-options.ts'
import { aBreaker, aCall, fail, ONE_FAILURE, REFUSED, settled } from './fixture.ts'

async function halfOpen(options: CircuitBreakerOptions) {
  const world = aBreaker({ ...ONE_FAILURE, openFor: '1s', ...options })
  await fail(world.breaker)
  await world.clock.advance('1s')
  return world
}

const probesOf = 'and as many calls as it takes are finding out'

describe('a half-open breaker', () => {
  it('lets one call find out and rejects the others', async () => {
    const { breaker } = await halfOpen({ name: 'claude' })
    const probe = aCall(breaker)
    const error = await breaker(() => 1).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', cause: REFUSED })
    expect(error).not.toHaveProperty('retryAfterMs', expect.any(Number))
    expect((error as Error).message).toBe(
      `the circuit 'claude' is half-open ${probesOf}; call again soon, or set halfOpen.waiters to 'wait'`,
    )
    probe.succeed()
    await probe.done
    expect(breaker.state).toBe('closed')
  })

  it('decides by several probes as soon as the rest cannot change it', async () => {
    const { breaker } = await halfOpen({ halfOpen: { probes: 4, successRate: 0.5 } })
    const probes = Array.from({ length: 4 }, () => aCall(breaker))
    expect(isResilienceError(breaker.admit())).toBe(true)
    probes[0]?.fail()
    probes[1]?.succeed()
    await settled()
    expect(breaker.state).toBe('half-open')
    probes[2]?.succeed()
    await settled()
    expect(breaker.state).toBe('closed')
    probes[3]?.fail()
    await settled()
    expect(breaker.state).toBe('closed')
  })

  it('opens again when too many of them have failed, for longer', async () => {
    const { breaker, clock } = await halfOpen({
      openFor: (n) => n * 1000,
      halfOpen: { probes: 4, successRate: 0.5 },
    })
    const probes = Array.from({ length: 4 }, () => aCall(breaker))
    for (const probe of probes.slice(0, 3)) probe.fail()
    await settled()
    expect(breaker.state).toBe('open')
    await clock.advance(1999)
    expect(breaker.state).toBe('open')
    await clock.advance(1)
    expect(breaker.state).toBe('half-open')
  })

  it('gives the place of a probe that says nothing to the next call', async () => {
    const { breaker } = await halfOpen({})
    const controller = new AbortController()
    const given = breaker(() => new Promise(() => {}), { signal: controller.signal })
    controller.abort()
    await expect(given).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(breaker.state).toBe('half-open')
    expect(await breaker(() => 7)).toBe(7)
    expect(breaker.state).toBe('closed')
  })

  it('bounds a probe of the manual form too', async () => {
    const { breaker, clock } = await halfOpen({ halfOpen: { probeTimeout: '3s' } })
    const probe = breaker.admit()
    expect(isResilienceError(probe)).toBe(false)
    await clock.advance('3s')
    expect(breaker.state).toBe('open')
    if (!isResilienceError(probe)) probe.ended({ value: 1 })
    expect(breaker.state).toBe('open')
    expect(breaker.stats()).toMatchObject({ timeouts: 1, successes: 0 })
  })

  it('asks classify nothing about a call of the manual form that has run into it', async () => {
    const asked: unknown[] = []
    const { breaker, clock } = await halfOpen({
      classify: ({ value }) => void asked.push(value),
      halfOpen: { probeTimeout: '3s' },
    })
    asked.length = 0
    const probe = breaker.admit()
    await clock.advance('3s')
    if (isResilienceError(probe)) throw probe
    probe.ended({ value: 'late' })
    expect(asked).toEqual([])
  })

  it('takes a time-out of a probe for a failure, whatever classify says', async () => {
    const { breaker, clock } = await halfOpen({
      classify: ({ error }) => (error === REFUSED ? 'failure' : 'success'),
    })
    const probe = aCall(breaker)
    await clock.advance('10s')
    await expect(probe.done).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(breaker.state).toBe('open')
    expect(clock.pending).toBe(0)
  })
})

describe('waiters', () => {
  const waiting = { halfOpen: { waiters: 'wait' } } as const

  it('go on when the probe has succeeded', async () => {
    const { breaker } = await halfOpen(waiting)
    const probe = aCall(breaker)
    let ran = 0
    const waiters = [breaker(() => ++ran), breaker(() => ++ran)]
    await settled()
    expect(ran).toBe(0)
    probe.succeed()
    expect(await Promise.all(waiters)).toEqual([1, 2])
    expect(breaker.stats().rejected).toBe(0)
  })

  it('are rejected when it has failed', async () => {
    const { breaker } = await halfOpen(waiting)
    const probe = aCall(breaker)
    const waiter = breaker(() => 1)
    probe.fail()
    await expect(waiter).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 1000 })
  })

  it('leave by their signal or at their deadline, and leave nothing behind', async () => {
    const { breaker, clock } = await halfOpen(waiting)
    const probe = aCall(breaker)
    const timers = clock.pending
    const controller = new AbortController()
    const { signal } = controller
    const kept = trackListeners(signal)
    const aborted = breaker(() => 1, { signal })
    const late = breaker(() => 1, { deadline: clock.now() + 50 })
    late.catch(() => {})
    await settled()
    expect(kept()).toBe(1)
    controller.abort(new Error('left'))
    await expect(aborted).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: controller.signal.reason,
    })
    await clock.advance(50)
    await expect(late).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(kept()).toBe(0)
    expect(clock.pending).toBe(timers)
    probe.succeed()
    await probe.done
  })

  it('take the place of a probe that said nothing, one at a time', async () => {
    const { breaker } = await halfOpen(waiting)
    const controller = new AbortController()
    const probe = breaker(() => new Promise(() => {}), { signal: controller.signal })
    probe.catch(() => {})
    const second = Promise.withResolvers<number>()
    let running = 0
    const waiters = [1, 2, 3].map(() =>
      breaker(() => {
        running++
        return second.promise
      }),
    )
    controller.abort()
    await settled()
    expect(running).toBe(1)
    second.resolve(5)
    expect(await Promise.all(waiters)).toEqual([5, 5, 5])
  })
})

/** @returns how many listeners it has */
function trackListeners(signal: AbortSignal): () => number {
  let kept = 0
  const { addEventListener: add, removeEventListener: remove } = signal
  signal.addEventListener = ((...args: Parameters<typeof add>) => {
    kept++
    add.apply(signal, args)
  }) as typeof add
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    kept--
    remove.apply(signal, args)
  }) as typeof remove
  return () => kept
}
