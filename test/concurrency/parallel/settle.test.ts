import { expect, it } from 'vitest'
import { parallel } from '../../../src/concurrency/parallel/parallel.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { endsAfter, failsAfter, watch } from './steps.ts'

const never = () => new Promise<never>(() => {})

it('tells how each task has ended, and aborts nobody', async () => {
  const clock = new FakeClock()
  const error = new Error('no')
  let signal: AbortSignal | undefined
  const call = watch(
    parallel.settle(
      {
        fails: failsAfter(clock, 10, error),
        slow: (given) => {
          signal = given
          return endsAfter(clock, 2000, 'here')(given)
        },
        replaced: { run: failsAfter(clock, 10, error), fallback: 'else' },
        tooSlow: { run: never, timeout: '1s' },
      },
      { clock },
    ),
  )
  await clock.advance(1000)
  expect(signal?.aborted).toBe(false)
  await clock.advance(1000)
  expect(call.value).toEqual({
    fails: { ok: false, error, timedOut: false },
    slow: { ok: true, value: 'here' },
    replaced: { ok: true, value: 'else' },
    tooSlow: {
      ok: false,
      error: expect.objectContaining({ code: 'ERR_TIMEOUT' }),
      timedOut: true,
    },
  })
  expect(clock.pending).toBe(0)
})

it('gives what there is when its time is over, and stops the rest', async () => {
  const clock = new FakeClock()
  let signal: AbortSignal | undefined
  const call = watch(
    parallel.settle(
      [
        () => 1,
        (given) => {
          signal = given
          return never()
        },
        { run: never, optional: true },
      ],
      { clock, timeout: '1s' },
    ),
  )
  await clock.advance(1000)
  expect(call.value).toEqual([
    { ok: true, value: 1 },
    { ok: false, error: expect.objectContaining({ code: 'ERR_TIMEOUT' }), timedOut: true },
    { ok: true, value: undefined },
  ])
  expect(signal?.reason).toMatchObject({ code: 'ERR_TIMEOUT' })
})

it('does not reject when its signal is aborted, before or meanwhile', async () => {
  const aborted = {
    ok: false,
    error: expect.objectContaining({ code: 'ERR_ABORTED' }),
    timedOut: false,
  }
  const before = await parallel.settle([() => 1, Promise.reject(new Error('unseen'))], {
    signal: AbortSignal.abort(),
  })
  expect(before).toEqual([aborted, aborted])
  const controller = new AbortController()
  const call = parallel.settle([() => 1, never], { signal: controller.signal })
  controller.abort()
  expect(await call).toEqual([{ ok: true, value: 1 }, aborted])
})

it('ends without tasks too when its signal is aborted before', async () => {
  const call = watch(parallel.settle({}, { signal: AbortSignal.abort() }))
  await new Promise(setImmediate)
  expect(call.value).toEqual({})
})

it('waits for what still runs where it is told to', async () => {
  const clock = new FakeClock()
  const deaf = () => endsAfter(clock, 3000, 'late')()
  const call = watch(
    parallel.settle([deaf], { clock, taskTimeout: '1s', timeout: '2s', await: 'settled' }),
  )
  await clock.advance(2999)
  expect(call.done).toBe(false)
  await clock.advance(1)
  expect(call.value).toMatchObject([{ ok: false, timedOut: true }])
})
