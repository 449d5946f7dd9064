import { AsyncLocalStorage } from 'node:async_hooks'
import pLimit from 'p-limit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { background } from '../../src/concurrency/background.ts'
import type { BackgroundOptions } from '../../src/concurrency/background-options.ts'
import type { TaskInfo } from '../../src/concurrency/background-task.ts'
import { asRunner } from '../../src/contracts/runner.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { each, refusals } from '../misuse/refusals.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function make(options: BackgroundOptions = {}) {
  const clock = new FakeClock()
  const errors: { error: unknown; task: TaskInfo }[] = []
  const jobs = background({
    name: 'jobs',
    clock,
    onError: (error, task) => {
      errors.push({ error, task })
    },
    ...options,
  })
  /** A task of so many milliseconds. */
  const lasting =
    <T>(ms: number, value: T) =>
    () =>
      new Promise<T>((resolve) => clock.setTimeout(() => resolve(value), ms))
  const codes = () => errors.map(({ error }) => (error as { code?: string }).code)
  return { clock, jobs, errors, codes, lasting }
}

describe('a background task', () => {
  it('starts after run() has returned, and done gives its value', async () => {
    const { jobs, clock } = make()
    const order: string[] = []
    const { done } = jobs.run(() => {
      order.push('task')
      return 42
    })
    order.push('after run')
    expect(jobs.depth).toBe(1)
    await clock.advance(0)
    expect(order).toEqual(['after run', 'task'])
    expect(await done).toBe(42)
    expect(jobs.depth).toBe(0)
    expect(jobs.stats()).toEqual({
      waiting: 0,
      running: 0,
      completed: 1,
      failed: 0,
      dropped: 0,
      cancelled: 0,
      aborted: 0,
      joined: 0,
    })
  })

  it('runs beside at most `concurrency` others, in order', async () => {
    const { jobs, clock, lasting } = make({ concurrency: 2 })
    const ended: number[] = []
    for (let n = 0; n < 5; n++) void jobs.run(lasting(10, n)).done.then((v) => ended.push(v))
    await clock.advance(0)
    expect(jobs.stats()).toMatchObject({ running: 2, waiting: 3 })
    await clock.advance(10)
    expect(ended).toEqual([0, 1])
    await clock.advance(10)
    expect(ended).toEqual([0, 1, 2, 3])
    await clock.advance(10)
    expect(ended).toEqual([0, 1, 2, 3, 4])
    expect(clock.pending).toBe(0)
  })

  it('keeps the async context of its caller, and onError too', async () => {
    const request = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const { jobs, clock, lasting } = make({
      concurrency: 1,
      onError: () => seen.push(`error ${request.getStore()}`),
    })
    for (const id of ['a', 'b']) {
      request.run(id, () =>
        jobs.run(async () => {
          await lasting(5, 0)()
          seen.push(request.getStore())
          throw new Error('x')
        }),
      )
    }
    await clock.advance(10)
    expect(seen).toEqual(['a', 'error a', 'b', 'error b'])
  })

  it('reports its failure to onError, and rejects done for whoever looks', async () => {
    const { jobs, clock, errors, lasting } = make()
    const failing = async () => {
      await lasting(7, 0)()
      throw new Error('mail server is down')
    }
    const looked = jobs.run(failing, { key: 'order 1' })
    jobs.run(() => {
      throw new Error('at once')
    })
    await clock.advance(7)
    await expect(looked.done).rejects.toThrow('mail server is down')
    expect(errors.map(({ error, task }) => [String(error), task])).toEqual([
      ['Error: at once', { name: 'jobs', key: undefined, waitedMs: 0, ranMs: 0 }],
      ['Error: mail server is down', { name: 'jobs', key: 'order 1', waitedMs: 0, ranMs: 7 }],
    ])
    expect(jobs.stats()).toMatchObject({ failed: 2, completed: 0 })
  })

  it('warns once where there is no onError', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const clock = new FakeClock()
    const jobs = background({ name: 'mail', clock })
    for (let n = 0; n < 3; n++) jobs.run(() => Promise.reject(new Error('down')))
    await clock.advance(0)
    expect(warn.mock.calls).toEqual([
      ["background 'mail': a task failed and there is no onError: down", 'ResilientCacheWarning'],
    ])
  })

  it('survives an onError that fails', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    for (const onError of [
      () => {
        throw new Error('own')
      },
      (async () => {
        throw new Error('own')
      }) as () => void,
    ]) {
      const clock = new FakeClock()
      const jobs = background({ clock, onError })
      jobs.run(() => Promise.reject(new Error('down')))
      await clock.advance(0)
      expect(jobs.depth).toBe(0)
    }
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      "background 'background': onError itself failed: own",
      "background 'background': onError itself failed: own",
    ])
  })

  it('waits for its delay, not counted as waiting for a place', async () => {
    const { jobs, clock } = make()
    const starts: TaskInfo[] = []
    jobs.on('start', (info) => starts.push(info))
    jobs.run(() => 1, { delay: '5s', key: 'later' })
    await clock.advance('4999ms')
    expect([starts.length, jobs.depth, jobs.oldestAgeMs]).toEqual([0, 1, 0])
    await clock.advance(1)
    expect(starts).toEqual([{ name: 'jobs', key: 'later', waitedMs: 0, ranMs: 0 }])
  })

  it('shows how long the first in line has waited', async () => {
    const { jobs, clock, lasting } = make({ concurrency: 1 })
    jobs.run(lasting(100, 0))
    await clock.advance(0)
    jobs.run(lasting(1, 0))
    await clock.advance(60)
    expect(jobs.oldestAgeMs).toBe(60)
    await clock.advance(50)
    expect(jobs.oldestAgeMs).toBe(0)
  })

  it('lets the event loop breathe between tasks that keep it busy', async () => {
    const { jobs, clock } = make({ concurrency: 100 })
    const order: string[] = []
    const immediate = vi.spyOn(clock, 'immediate')
    const now = clock.now.bind(clock)
    let spent = 0
    clock.now = () => now() + spent
    for (let n = 0; n < 4; n++) {
      jobs.run(() => {
        order.push('task')
        spent += 2
      })
    }
    await clock.advance(0)
    expect(order).toHaveLength(4)
    expect(immediate.mock.calls.length).toBeGreaterThanOrEqual(4)
  })
})

describe('dedupe', () => {
  it('joins the task of the same key, waiting or running, until it has ended', async () => {
    const { jobs, clock, lasting } = make({ concurrency: 1 })
    let runs = 0
    const task = () => {
      runs++
      return lasting(10, runs)()
    }
    const first = jobs.run(task, { key: 'k', dedupe: true })
    const second = jobs.run(task, { key: 'k', dedupe: true })
    await clock.advance(5)
    const third = jobs.run(task, { key: 'k', dedupe: true })
    await clock.advance(5)
    expect(await Promise.all([first.done, second.done, third.done])).toEqual([1, 1, 1])
    expect([runs, jobs.stats().joined]).toEqual([1, 2])
    jobs.run(task, { key: 'k', dedupe: true })
    await clock.advance(10)
    expect(runs).toBe(2)
  })

  it('leaves tasks without it alone, whatever their key', async () => {
    const { jobs, clock } = make()
    let runs = 0
    const task = () => ++runs
    jobs.run(task, { key: 'k' })
    jobs.run(task, { key: 'k' })
    jobs.run(task, { key: 'k', dedupe: true })
    await clock.advance(0)
    expect(runs).toBe(3)
  })

  it('cancels for one and goes on for the others', async () => {
    const { jobs, clock, lasting, errors } = make()
    const one = jobs.run(lasting(10, 'value'), { key: 'k', dedupe: true })
    const two = jobs.run(lasting(10, 'value'), { key: 'k', dedupe: true })
    expect(one.cancel()).toBe(true)
    expect(one.cancel()).toBe(false)
    await expect(one.done).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await clock.advance(10)
    expect(await two.done).toBe('value')
    expect(two.cancel()).toBe(false)
    expect([errors, jobs.stats().cancelled]).toEqual([[], 0])
  })
})

describe('cancel', () => {
  it('keeps a waiting task from starting', async () => {
    const { jobs, clock, lasting, errors } = make({ concurrency: 1 })
    let ran = false
    jobs.run(lasting(10, 0))
    await clock.advance(0)
    const { done, cancel } = jobs.run(() => {
      ran = true
    })
    const later = jobs.run(() => 'later', { delay: 5 })
    const next = jobs.run(() => 'next')
    expect([cancel(), later.cancel()]).toEqual([true, true])
    await expect(done).rejects.toMatchObject({ code: 'ERR_ABORTED', retryable: false })
    await clock.advance(10)
    expect([ran, await next.done, jobs.depth]).toEqual([false, 'next', 0])
    expect([errors, jobs.stats().cancelled, clock.pending]).toEqual([[], 2, 0])
  })

  it('aborts the signal of a running one, whose place is free when it has ended', async () => {
    const { jobs, clock, lasting, errors } = make({ concurrency: 1 })
    let seen: AbortSignal | undefined
    const { done, cancel } = jobs.run((signal) => {
      seen = signal
      return lasting(10, 'late')()
    })
    await clock.advance(1)
    const next = jobs.run(() => clock.now())
    cancel()
    await expect(done).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(seen?.aborted).toBe(true)
    await clock.advance(10)
    expect(await next.done).toBe(10)
    expect([errors, jobs.stats()]).toMatchObject([[], { cancelled: 1, completed: 1, failed: 0 }])
  })
})

describe('a full queue', () => {
  it("rejects the new one with 'reject', reported and never unhandled", async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const { jobs, clock, codes, lasting } = make({ concurrency: 1, queue: { max: 1 } })
    const drops: TaskInfo[] = []
    jobs.on('drop', (info) => drops.push(info))
    for (let n = 0; n < 2; n++) jobs.run(lasting(1, n))
    void jobs.run(() => 1, { key: 'unlooked' })
    const { done } = jobs.run(() => 1)
    await expect(done).rejects.toMatchObject({
      code: 'ERR_BULKHEAD_FULL',
      retryable: true,
      message:
        "background 'jobs' is full: 1 may run and 1 wait; raise concurrency or queue.max, or hand in less",
    })
    await clock.advance(2)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect([codes(), jobs.stats().dropped]).toEqual([['ERR_BULKHEAD_FULL', 'ERR_BULKHEAD_FULL'], 2])
    expect(drops.map(({ key }) => key)).toEqual(['unlooked', undefined])
  })

  it("pushes out the one that waited longest with 'drop-oldest'", async () => {
    const { jobs, clock, codes, errors, lasting } = make({
      concurrency: 1,
      queue: { max: 2, overflow: 'drop-oldest' },
    })
    const ended: string[] = []
    jobs.on('end', ({ key }) => ended.push(key as string))
    jobs.run(lasting(1, 0), { key: 'running' })
    await clock.advance(0)
    for (const key of ['a', 'b', 'c', 'd']) jobs.run(lasting(1, 0), { key })
    await clock.advance(10)
    expect(ended).toEqual(['running', 'c', 'd'])
    expect([codes(), errors.map(({ task }) => task.key)]).toEqual([
      ['ERR_BULKHEAD_FULL', 'ERR_BULKHEAD_FULL'],
      ['a', 'b'],
    ])
  })

  it("pushes out a delayed one where nothing else waits, with 'drop-oldest'", async () => {
    const { jobs, clock, errors } = make({
      concurrency: 1,
      queue: { max: 0, overflow: 'drop-oldest' },
    })
    jobs.run(() => 1, { key: 'later', delay: '1h' })
    const { done } = jobs.run(() => 'now')
    await clock.advance(0)
    expect([await done, errors.map(({ task }) => task.key), clock.pending]).toEqual([
      'now',
      ['later'],
      0,
    ])
  })

  it("starts the new one at once with 'run-inline'", async () => {
    const { jobs, clock, lasting } = make({
      concurrency: 1,
      queue: { max: 0, overflow: 'run-inline' },
    })
    jobs.run(lasting(10, 0))
    let ran = false
    const { done } = jobs.run(() => {
      ran = true
      return 'inline'
    })
    expect(ran).toBe(true)
    expect(await done).toBe('inline')
    await clock.advance(10)
    expect(jobs.stats()).toMatchObject({ completed: 2, dropped: 0 })
  })
})

describe('a guard', () => {
  it('is called as a Runner, with the signal of the task', async () => {
    const seen: unknown[] = []
    const guard = asRunner(async (task, options) => {
      seen.push(options?.signal instanceof AbortSignal)
      return task(options?.signal as AbortSignal)
    }, {})
    const { jobs, clock } = make({ guard })
    const { done } = jobs.run((signal) => signal.aborted)
    await clock.advance(0)
    expect([await done, seen]).toEqual([false, [true]])
  })

  it('may be a limiter of another library, and nothing cancelled begins in it', async () => {
    const guard = pLimit(1)
    const { jobs, clock, lasting, errors } = make({ guard })
    let ran = false
    jobs.run(lasting(10, 0))
    const { cancel } = jobs.run(() => {
      ran = true
    })
    await clock.advance(1)
    cancel()
    await clock.advance(10)
    expect([ran, errors, jobs.depth]).toEqual([false, [], 0])
  })

  it('reports what it rejects with', async () => {
    const guard = asRunner(() => Promise.reject(new Error('open')), {})
    const { jobs, clock, errors } = make({ guard })
    jobs.run(() => 1)
    await clock.advance(0)
    expect(errors.map(({ error }) => String(error))).toEqual(['Error: open'])
  })
})

describe('waitUntil', () => {
  it('is counted and drained, and its failure is reported', async () => {
    const { jobs, clock, errors, lasting } = make()
    jobs.waitUntil(lasting(10, 0)())
    jobs.waitUntil(lasting(5, 0)().then(() => Promise.reject(new Error('late'))))
    expect(jobs.depth).toBe(2)
    const drained = jobs.drain()
    await clock.advance(10)
    expect(await drained).toEqual({ done: 2, aborted: 0 })
    expect(errors.map(({ error, task }) => [String(error), task.ranMs])).toEqual([
      ['Error: late', 5],
    ])
  })

  it('takes a thenable that misbehaves', async () => {
    const { jobs, clock } = make()
    jobs.waitUntil({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      then(resolve: () => void, reject: (error: Error) => void) {
        resolve()
        reject(new Error('twice'))
      },
    } as unknown as PromiseLike<unknown>)
    await clock.advance(0)
    expect(jobs.stats()).toMatchObject({ completed: 1, failed: 0, running: 0 })
  })
})

describe('drain', () => {
  it('waits for what is there and what comes meanwhile, and starts delayed tasks at once', async () => {
    const { jobs, clock, lasting } = make({ concurrency: 1 })
    jobs.run(async () => {
      await lasting(10, 0)()
      jobs.run(lasting(10, 0))
    })
    jobs.run(lasting(10, 0), { delay: '1h' })
    const drains: unknown[] = []
    jobs.on('drain', (result) => drains.push(result))
    const drained = jobs.drain()
    await clock.advance(30)
    expect(await drained).toEqual({ done: 3, aborted: 0 })
    expect([drains, clock.pending]).toEqual([[{ done: 3, aborted: 0 }], 0])
  })

  it('waits for a delayed task that comes meanwhile, which keeps its delay', async () => {
    const { jobs, clock, lasting } = make()
    let ranAt = 0
    const again = () => {
      ranAt = clock.now()
    }
    jobs.run(async () => {
      await lasting(10, 0)()
      jobs.run(again, { delay: 20 })
    })
    const drained = jobs.drain()
    await clock.advance(30)
    expect([await drained, ranAt]).toEqual([{ done: 2, aborted: 0 }, 30])
  })

  it('is over at once when nothing is left, and sets no timer', async () => {
    const { jobs, clock } = make()
    expect(await jobs.drain({ deadline: '1h' })).toEqual({ done: 0, aborted: 0 })
    expect(clock.pending).toBe(0)
  })

  it('aborts the rest at the deadline', async () => {
    const { jobs, clock, codes, lasting } = make({ concurrency: 2 })
    const signals: AbortSignal[] = []
    const stuck = (signal: AbortSignal) => {
      signals.push(signal)
      return new Promise(() => {})
    }
    jobs.run(lasting(5, 0))
    const running = jobs.run(stuck)
    const waiting = jobs.run(stuck)
    const waitingToo = jobs.run(stuck)
    jobs.waitUntil(new Promise(() => {}))
    const drained = jobs.drain({ deadline: 20 })
    await clock.advance(20)
    expect(await drained).toEqual({ done: 1, aborted: 4 })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    for (const { done } of [running, waiting, waitingToo]) {
      await expect(done).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    }
    expect([codes(), jobs.stats()]).toMatchObject([
      ['ERR_ABORTED', 'ERR_ABORTED', 'ERR_ABORTED'],
      { aborted: 4, completed: 1, waiting: 0 },
    ])
  })

  it('can be given up by a signal, and the tasks go on', async () => {
    const { jobs, clock, lasting } = make()
    const { done } = jobs.run(lasting(10, 'value'))
    const controller = new AbortController()
    const drained = jobs.drain({ signal: controller.signal })
    controller.abort()
    await expect(drained).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await expect(jobs.drain({ signal: controller.signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    await clock.advance(10)
    expect([await done, clock.pending]).toEqual(['value', 0])
  })

  it('is what `await using` does, and then nothing more is taken', async () => {
    const { jobs, clock, codes, lasting } = make()
    jobs.run(lasting(10, 0))
    const closed = jobs[Symbol.asyncDispose]()
    const { done } = jobs.run(() => 1)
    await expect(done).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await clock.advance(10)
    await closed
    expect([codes(), jobs.stats().completed]).toEqual([['ERR_CLOSED'], 1])
  })
})

describe('listeners of signals', () => {
  it('are there only when asked for, and go with the disposal', async () => {
    const before = process.listenerCount('SIGUSR2')
    const none = background({ clock: new FakeClock() })
    expect(process.listenerCount('SIGUSR2')).toBe(before)
    const jobs = background({ drainOn: ['SIGUSR2'], clock: new FakeClock() })
    expect(process.listenerCount('SIGUSR2')).toBe(before + 1)
    await jobs[Symbol.asyncDispose]()
    await none[Symbol.asyncDispose]()
    expect(process.listenerCount('SIGUSR2')).toBe(before)
  })
})

describe('misuse of background', () => {
  it('is refused with the remedy', async () => {
    const option = (name: string, values: readonly unknown[]) =>
      each(name, values, (value) => background({ [name]: value }))
    const task = (values: readonly unknown[]) =>
      each('run', values, (value) => background().run(() => 1, value))
    expect(
      await refusals({
        ...each('options', [null, 'x'], (value) => background(value)),
        ...option('concurency', [1]),
        ...option('concurrency', [0, 1.5, '4']),
        ...option('queue', [5, { size: 1 }, { max: -1 }, { max: 1.5 }, { overflow: 'drop' }]),
        ...option('guard', [{}]),
        ...option('onError', ['log']),
        ...option('drainOn', [true, 'SIGTERM', [15]]),
        ...option('drainDeadline', ['soon']),
        ...option('name', [5]),
        'run a promise': () => background().run(Promise.resolve() as never),
        ...task([
          { delayMs: 5 },
          { key: 5 },
          { dedupe: true },
          { dedupe: 1, key: 'k' },
          { delay: -1 },
        ]),
        ...each('drain', [{ deadlineMs: 5 }, { deadline: 'x' }], (value) =>
          background().drain(value),
        ),
      }),
    ).toMatchInlineSnapshot(`
      "
      options: null
          background() takes an options object, got null
      options: "x"
          background() takes an options object, got text
      concurency: 1
          unknown option of background(): 'concurency'; did you mean 'concurrency'?
      concurrency: 0
          concurrency must be a whole number ≥ 1, got 0
      concurrency: 1.5
          concurrency must be a whole number ≥ 1, got 1.5
      concurrency: "4"
          concurrency must be a whole number ≥ 1, got '4'
      queue: 5
          queue takes an options object, got a number
      queue: {"size":1}
          unknown option of queue: 'size'; known are max, overflow
      queue: {"max":-1}
          queue.max must be a whole number ≥ 0, got -1
      queue: {"max":1.5}
          queue.max must be a whole number ≥ 0, got 1.5
      queue: {"overflow":"drop"}
          queue.overflow has no such choice: 'drop'; known are reject, drop-oldest, run-inline
      guard: {}
          guard must be a function, got an object
      onError: "log"
          onError must be a function, got text
      drainOn: true
          drainOn must be false or an array of signals such as ['SIGTERM'], got true
      drainOn: "SIGTERM"
          drainOn must be false or an array of signals such as ['SIGTERM'], got 'SIGTERM'
      drainOn: [15]
          drainOn must be false or an array of signals such as ['SIGTERM'], got an array
      drainDeadline: "soon"
          drainDeadline must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'soon'
      name: 5
          name must be text, got a number
      run a promise
          run() takes a function, got an object; what has begun already goes to waitUntil()
      run: {"delayMs":5}
          unknown option of run(): 'delayMs'; did you mean 'delay'?
      run: {"key":5}
          key must be text, got a number
      run: {"dedupe":true}
          dedupe needs a key to tell tasks apart
      run: {"dedupe":1,"key":"k"}
          dedupe must be true or false, got 1
      run: {"delay":-1}
          delay must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got -1
      drain: {"deadlineMs":5}
          unknown option of drain(): 'deadlineMs'; did you mean 'deadline'?
      drain: {"deadline":"x"}
          deadline must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'x'
      "
    `)
  })
})
