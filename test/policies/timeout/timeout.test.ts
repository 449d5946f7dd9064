import { describe, expect, it } from 'vitest'
import { timeout } from '../../../src/policies/timeout/timeout.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countedSignal, expectIdle, follow, Task } from '../guard/fixture.ts'

function aTimeout(mode: 'hard' | 'cooperative' = 'hard') {
  const clock = new FakeClock(1_000_000)
  return { clock, run: timeout({ after: '100ms', mode, clock }), task: new Task() }
}

describe('a task that takes too long', () => {
  it('is told by its signal, and not waited for', async () => {
    const { clock, run, task } = aTimeout()
    const call = follow(run(task.run))
    await clock.advance(99)
    expect([call.isPending, task.last.signal.aborted]).toEqual([true, false])
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT', retryable: true })
    expect((call.error as Error).message).toContain('(100 ms)')
    expect(task.last.signal.reason).toBe(call.error)
    expectIdle(clock)
  })

  it('may fail later without anybody being bothered', async () => {
    const { clock, run, task } = aTimeout()
    const call = follow(run(task.run))
    await clock.advance(100)
    task.last.reject(new Error('too late'))
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expect(run.stats()).toMatchObject({ calls: 1, failed: 1, timeouts: 1, inFlight: 0 })
  })

  it('disturbs no other call: each has a signal of its own', async () => {
    const { clock, run, task } = aTimeout()
    const first = follow(run(task.run))
    await clock.advance(50)
    const second = follow(run(task.run))
    await clock.advance(50)
    expect(task.calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
    task.last.resolve('in time')
    await clock.advance(1)
    expect([first.error, second.value]).toMatchObject([{ code: 'ERR_TIMEOUT' }, 'in time'])
    expectIdle(clock)
  })
})

describe('a task that ends in time', () => {
  it('leaves no timer behind, well or not', async () => {
    const { clock, run } = aTimeout()
    expect(await run(async () => 'value')).toBe('value')
    await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await run(() => 5)).toBe(5)
    expectIdle(clock)
  })

  it('may be any thenable', async () => {
    const { run } = aTimeout()
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    const thenable = { then: (resolve: (value: number) => void) => resolve(7) }
    expect(await run(() => thenable as PromiseLike<number>)).toBe(7)
  })
})

describe("mode: 'cooperative'", () => {
  it('waits until the task has ended', async () => {
    const { clock, run, task } = aTimeout('cooperative')
    const call = follow(run(task.run))
    await clock.advance(150)
    expect([call.isPending, task.last.signal.aborted]).toEqual([true, true])
    task.last.reject(new Error('cleaned up'))
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
    expectIdle(clock)
  })

  it('takes the value of a task that succeeds all the same', async () => {
    const { clock, run, task } = aTimeout('cooperative')
    const call = follow(run(task.run))
    await clock.advance(150)
    task.last.resolve('late, but there')
    await clock.advance(1)
    expect(call.value).toBe('late, but there')
  })
})

describe('the signal of the caller', () => {
  it('ends the wait and is passed on', async () => {
    const { clock, run, task } = aTimeout()
    const caller = countedSignal()
    const call = follow(run(task.run, { signal: caller.signal }))
    caller.controller.abort('enough')
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' })
    expect(task.last.signal.aborted).toBe(true)
    expectIdle(clock, caller)
  })
})

describe('misuse', () => {
  it.each([
    [undefined, 'a time-out must be a duration or { after, mode }, got undefined'],
    [0, 'timeout() must be longer than 0, or no task could ever end in time'],
    [-1, 'timeout() must be a duration'],
    ['soon', 'timeout() must be a duration'],
    [{ after: '1s', mod: 'hard' }, "unknown option of timeout(): 'mod'; did you mean 'mode'?"],
    [{ after: '1s', mode: 'soft' }, "timeout().mode has no such choice: 'soft'"],
    [{ mode: 'hard' }, 'timeout().after must be a duration'],
  ])('%j', (given, message) => {
    expect(() => timeout(given as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    )
  })
})
