import { describe, expect, it, vi } from 'vitest'
import { parallel } from '../../../src/concurrency/parallel/parallel.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { endsAfter, failsAfter, watch } from './steps.ts'

const never = () => new Promise<never>(() => {})

describe('parallel', () => {
  it('takes as long as its slowest task: three of 2 s take 2 s', async () => {
    const clock = new FakeClock()
    const call = watch(
      parallel(
        {
          a: endsAfter(clock, 2000, 'A'),
          b: endsAfter(clock, 2000, 'B'),
          c: endsAfter(clock, 2000, 'C'),
        },
        { clock },
      ),
    )
    await clock.advance('1999ms')
    expect(call.done).toBe(false)
    await clock.advance('1ms')
    expect(call.value).toEqual({ a: 'A', b: 'B', c: 'C' })
  })

  it('gives an object for an object, in its order, and an array for an array', async () => {
    const clock = new FakeClock()
    const object = parallel({
      slow: endsAfter(clock, 20, 1),
      fast: () => 2,
      there: Promise.resolve(3),
    })
    const array = parallel([endsAfter(clock, 20, 1), () => 2, Promise.resolve(3)])
    await clock.advance(20)
    expect(Object.entries(await object)).toEqual([
      ['slow', 1],
      ['fast', 2],
      ['there', 3],
    ])
    expect(await array).toEqual([1, 2, 3])
    expect(await parallel({})).toEqual({})
    expect(await parallel([])).toEqual([])
  })

  it('makes an own member of a task that is called __proto__', async () => {
    const tasks = JSON.parse('{"__proto__": null}')
    Object.defineProperty(tasks, '__proto__', { value: () => 5, enumerable: true })
    const values = await parallel(tasks as Record<string, () => number>)
    expect(Object.keys(values)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype)
  })

  it('starts every task before it returns', () => {
    const started: string[] = []
    const start = (name: string) => () => void started.push(name)
    void parallel({ a: start('a'), b: start('b') })
    expect(started).toEqual(['a', 'b'])
  })

  it('calls run as a method of its task', async () => {
    const task = {
      run(this: { timeout: string }) {
        return this.timeout
      },
      timeout: '1s' as const,
    }
    expect(await parallel([task])).toEqual(['1s'])
  })
})

describe('a task that fails at 0.1 s', () => {
  it('rejects the call at 0.1 s, and aborts the others with that error as the reason', async () => {
    const clock = new FakeClock()
    const error = new Error('no partner')
    const signals: AbortSignal[] = []
    const sibling = (signal: AbortSignal) => {
      signals.push(signal)
      return endsAfter(clock, 2000, 'late')(signal)
    }
    const call = watch(parallel([sibling, failsAfter(clock, 100, error), sibling], { clock }))
    await clock.advance(99)
    expect(call.done).toBe(false)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
    await clock.advance(1)
    expect(call.error).toBe(error)
    expect(signals.map(({ reason }) => reason)).toEqual([error, error])
    expect(clock.pending).toBe(0)
  })

  it('keeps what has not started from starting', async () => {
    const started = vi.fn()
    const fails = () => {
      throw new Error('at once')
    }
    await expect(parallel([() => 1, fails, started])).rejects.toThrow('at once')
    expect(started).not.toHaveBeenCalled()
  })

  it('does not wait for siblings that do not listen, unless told to', async () => {
    const clock = new FakeClock()
    const deaf = () => endsAfter(clock, 2000, 'late')()
    const tasks = [failsAfter(clock, 100, new Error('no')), deaf]
    const atOnce = watch(parallel(tasks, { clock }))
    const settled = watch(parallel(tasks, { clock, await: 'settled' }))
    await clock.advance(100)
    expect([atOnce.done, settled.done]).toEqual([true, false])
    await clock.advance(1899)
    expect(settled.done).toBe(false)
    await clock.advance(1)
    expect(settled.error).toMatchObject({ message: 'no' })
  })

  it('is joined by the later errors, but not by the echoes of its own', async () => {
    const clock = new FakeClock()
    const first = new Error('first')
    const echo = (signal: AbortSignal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('aborted', { cause: signal.reason }))
        })
      })
    const call = watch(
      parallel(
        [
          failsAfter(clock, 10, first),
          failsAfter(clock, 20, new Error('second')),
          failsAfter(clock, 30, 'third'),
          endsAfter(clock, 2000, 'told to stop'),
          echo,
        ],
        { clock, await: 'settled' },
      ),
    )
    await clock.advance(30)
    expect(call.error).toBe(first)
    expect((first as { suppressed?: unknown[] }).suppressed).toEqual([
      expect.objectContaining({ message: 'second' }),
      'third',
    ])
    expect(Object.keys(first)).toEqual([])
  })

  it('does not collect the errors of all calls where it is shared', async () => {
    const shared = new Error('circuit open')
    for (let call = 0; call < 3; call++) {
      const tasks = [Promise.reject(shared), Promise.reject(new Error(`other ${call}`))]
      await parallel(tasks).catch(() => {})
      await new Promise(setImmediate)
    }
    expect((shared as { suppressed?: unknown[] }).suppressed).toHaveLength(1)
  })

  it('may be anything that can be thrown', async () => {
    const frozen = Object.freeze(new Error('frozen'))
    for (const thrown of [frozen, 'text', undefined, null]) {
      const fails = () => Promise.reject(thrown)
      await expect(parallel([fails, fails])).rejects.toBe(thrown)
    }
  })
})

describe('time limits', () => {
  it('end one task without the others when it has a fallback', async () => {
    const clock = new FakeClock()
    let reason: unknown
    const slow = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      return never()
    }
    const call = watch(
      parallel(
        {
          slow: { run: slow, timeout: '100ms', fallback: 'none' },
          other: endsAfter(clock, 200, 'here'),
        },
        { clock },
      ),
    )
    await clock.advance(100)
    expect(reason).toMatchObject({ code: 'ERR_TIMEOUT' })
    await clock.advance(100)
    expect(call.value).toEqual({ slow: 'none', other: 'here' })
    expect(clock.pending).toBe(0)
  })

  it('reject the call where there is none', async () => {
    const clock = new FakeClock()
    const call = watch(parallel([never, () => 1], { clock, taskTimeout: '1s', name: 'checkout' }))
    await clock.advance(1000)
    expect(call.error).toMatchObject({
      code: 'ERR_TIMEOUT',
      retryable: true,
      message:
        "task 1 of parallel 'checkout' took longer than 1000 ms; raise its timeout, or give it a fallback",
    })
    expect(clock.pending).toBe(0)
  })

  it('of a task stand over those of the call', async () => {
    const clock = new FakeClock()
    const call = watch(
      parallel([{ run: endsAfter(clock, 900, 'slow'), timeout: '1s' }], {
        clock,
        taskTimeout: 100,
      }),
    )
    await clock.advance(900)
    expect(call.value).toEqual(['slow'])
  })

  it('of the whole call end every task that is left, and fallbacks still count', async () => {
    const clock = new FakeClock()
    const call = watch(
      parallel(
        {
          done: () => 1,
          slow: { run: never, fallback: (error: unknown) => (error as { code: string }).code },
          optional: { run: never, optional: true },
        },
        { clock, timeout: '2s' },
      ),
    )
    await clock.advance(2000)
    expect(call.value).toEqual({ done: 1, slow: 'ERR_TIMEOUT', optional: undefined })
  })

  it('of the whole call abort the tasks that fallbacks stand in for', async () => {
    const clock = new FakeClock()
    const signals: AbortSignal[] = []
    const run = (signal: AbortSignal) => {
      signals.push(signal)
      return never()
    }
    const call = watch(parallel([{ run, fallback: 1 }], { clock, timeout: '2s' }))
    await clock.advance(2000)
    expect(call.value).toEqual([1])
    expect(signals[0]?.reason).toMatchObject({ code: 'ERR_TIMEOUT' })
  })

  it('of the whole call reject it where a task has no fallback', async () => {
    const clock = new FakeClock()
    const signals: AbortSignal[] = []
    const call = watch(
      parallel(
        [
          (signal) => {
            signals.push(signal)
            return never()
          },
        ],
        { clock, timeout: '2s' },
      ),
    )
    await clock.advance(2000)
    expect(call.error).toMatchObject({
      code: 'ERR_TIMEOUT',
      message:
        'parallel took longer than 2000 ms; raise its timeout, or give the slow tasks a fallback',
    })
    expect(signals[0]?.reason).toBe(call.error)
  })

  it('leave no timer behind when the call ends before', async () => {
    const clock = new FakeClock()
    await parallel([() => 1], { clock, timeout: '1s', taskTimeout: '1s' })
    expect(clock.pending).toBe(0)
    const fails = () => Promise.reject(new Error('no'))
    await parallel([fails, never], { clock, timeout: '1s', taskTimeout: '1s' }).catch(() => {})
    expect(clock.pending).toBe(0)
  })
})

describe('fallback and optional', () => {
  const fails = () => {
    throw new Error('down')
  }

  it('replace what fails', async () => {
    expect(
      await parallel({
        value: { run: fails, fallback: [] },
        made: { run: fails, fallback: (error: unknown) => (error as Error).message },
        later: { run: fails, fallback: async () => 'later' },
        none: { run: fails, optional: true },
        nothing: { run: fails, fallback: undefined },
      }),
    ).toEqual({ value: [], made: 'down', later: 'later', none: undefined, nothing: undefined })
  })

  it('reject the call when the fallback fails too', async () => {
    const worse = new Error('worse')
    const throws = () => {
      throw worse
    }
    await expect(parallel([{ run: fails, fallback: throws }])).rejects.toBe(worse)
    await expect(parallel([{ run: fails, fallback: () => Promise.reject(worse) }])).rejects.toBe(
      worse,
    )
  })

  it('end with the call when the fallback takes too long', async () => {
    const clock = new FakeClock()
    const call = watch(parallel([{ run: fails, fallback: never }], { clock, timeout: '1s' }))
    await clock.advance(1000)
    expect(call.error).toMatchObject({ code: 'ERR_TIMEOUT' })
  })
})

describe("the caller's signal", () => {
  it('ends the call and its tasks', async () => {
    const clock = new FakeClock()
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const call = watch(
      parallel(
        [
          (signal) => {
            seen = signal
            return never()
          },
          { run: never, fallback: 'not wanted any more' },
        ],
        { clock, signal: controller.signal, name: 'checkout' },
      ),
    )
    controller.abort('gone')
    await clock.advance(0)
    expect(call.error).toMatchObject({
      code: 'ERR_ABORTED',
      cause: 'gone',
      message: "parallel 'checkout' was aborted by its signal",
    })
    expect(seen?.reason).toBe(call.error)
  })

  it('keeps everything from starting when it is aborted already', async () => {
    const started = vi.fn()
    const rejects = Promise.reject(new Error('nobody looks'))
    await expect(
      parallel([started, rejects], { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(started).not.toHaveBeenCalled()
  })

  it('is listened to no longer than the call takes', async () => {
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, 'addEventListener')
    const remove = vi.spyOn(signal, 'removeEventListener')
    await parallel([() => 1], { signal })
    await parallel([() => Promise.reject(new Error('no'))], { signal }).catch(() => {})
    expect(remove.mock.calls.map(([, fn]) => fn)).toEqual(add.mock.calls.map(([, fn]) => fn))
    expect(add).toHaveBeenCalledTimes(2)
  })
})

describe('onProgress', () => {
  it('tells of each task as it ends, also of one that fails', async () => {
    const clock = new FakeClock()
    const seen: unknown[] = []
    const call = watch(
      parallel(
        {
          a: endsAfter(clock, 20, 1),
          b: endsAfter(clock, 10, 2),
          c: { run: failsAfter(clock, 30, new Error('no')), fallback: 0 },
          d: failsAfter(clock, 40, new Error('no')),
        },
        { clock, onProgress: (progress) => seen.push(progress) },
      ),
    )
    await clock.advance(40)
    expect(seen).toEqual([
      { done: 1, total: 4, key: 'b', ms: 10 },
      { done: 2, total: 4, key: 'a', ms: 20 },
      { done: 3, total: 4, key: 'c', ms: 30 },
      { done: 4, total: 4, key: 'd', ms: 40 },
    ])
    expect(call.done).toBe(true)
  })

  it('may throw without harm', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const onProgress = () => {
      throw new Error('bar is broken')
    }
    expect(await parallel([() => 1], { onProgress })).toEqual([1])
    expect(warned.mock.calls[0]?.[0]).toContain('bar is broken')
    warned.mockRestore()
  })
})
