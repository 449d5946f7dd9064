import { describe, expect, it, vi } from 'vitest'
import { isRunner } from '../../../src/contracts/runner.ts'
import { bulkhead, semaphore } from '../../../src/policies/bulkhead/bulkhead.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

/** Tasks that end when they are told to. */
function tasks() {
  const ends: (() => void)[] = []
  const started: number[] = []
  const task = (id: number) => () => {
    started.push(id)
    return new Promise<number>((resolve) => ends.push(() => resolve(id)))
  }
  return { task, started, endFirst: () => ends.shift()?.() }
}

const turn = () => new Promise(setImmediate)
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

describe('a bulkhead', () => {
  it('is a Runner: it gives what the task gives, and frees the place whatever comes', async () => {
    const cells = bulkhead(1)
    expect(isRunner(cells)).toBe(true)
    expect(await cells(() => 5)).toBe(5)
    expect(await cells(async () => 6)).toBe(6)
    const broken = () => {
      throw new Error('no')
    }
    await expect(cells(broken)).rejects.toThrow('no')
    await expect(cells(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(cells.stats()).toMatchObject({ running: 0, started: 4 })
  })

  it('turns away at once what exceeds it', async () => {
    const cells = bulkhead({ max: 2, name: 'reports' })
    const { task, started } = tasks()
    void cells(task(1))
    void cells(task(2))
    await expect(cells(task(3))).rejects.toMatchObject({
      code: 'ERR_BULKHEAD_FULL',
      retryable: true,
      message:
        "the bulkhead 'reports' is full: 2 run and 0 wait; try later, or give it a longer queue",
    })
    expect(started).toEqual([1, 2])
    expect(cells.stats()).toMatchObject({ running: 2, waiting: 0, rejected: 1 })
  })

  it('lets as many wait as its queue holds, first come, first served', async () => {
    const cells = bulkhead({ max: 1, queue: 2 })
    const { task, started, endFirst } = tasks()
    const calls = [1, 2, 3].map((id) => cells(task(id)))
    expect(await codeOf(cells(task(4)))).toBe('ERR_BULKHEAD_FULL')
    for (const id of [1, 2, 3]) {
      expect(started.at(-1)).toBe(id)
      endFirst()
      await turn()
    }
    expect(await Promise.all(calls)).toEqual([1, 2, 3])
  })

  it('lets nobody wait longer than maxWait', async () => {
    const clock = new FakeClock()
    const cells = bulkhead({ max: 1, queue: 5, maxWait: '1s', clock })
    const { task, started, endFirst } = tasks()
    void cells(task(1))
    const waits = cells(task(2))
    waits.catch(() => {})
    await clock.advance(999)
    expect(cells.stats().waiting).toBe(1)
    await clock.advance(1)
    await expect(waits).rejects.toMatchObject({
      code: 'ERR_BULKHEAD_FULL',
      message: 'the bulkhead had no place within 1000 ms; try later, or raise maxWait',
    })
    endFirst()
    await turn()
    expect(started).toEqual([1])
    expect(clock.pending).toBe(0)
  })

  it('lets nobody wait beyond the deadline of the call', async () => {
    const clock = new FakeClock(1000)
    const cells = bulkhead({ max: 1, queue: 5, maxWait: '1m', clock })
    const { task } = tasks()
    void cells(task(1))
    const waits = codeOf(cells(task(2), { deadline: 1500 }))
    expect(await codeOf(cells(task(3), { deadline: 1000 }))).toBe('ERR_TIMEOUT')
    await clock.advance(500)
    expect(await waits).toBe('ERR_TIMEOUT')
    expect(clock.pending).toBe(0)
  })

  it("gives the task its caller's signal, or one of its own", async () => {
    const cells = bulkhead(1)
    const { signal } = new AbortController()
    expect(await cells((given) => given, { signal })).toBe(signal)
    const first = await cells((given) => given)
    const second = await cells((given) => given)
    expect(first).toBeInstanceOf(AbortSignal)
    // Listeners that a task leaves on it go with it.
    expect(second).not.toBe(first)
  })
})

describe('a semaphore', () => {
  it('lets everybody wait', async () => {
    const sem = semaphore(1)
    const { task, endFirst } = tasks()
    const calls = Array.from({ length: 100 }, (_, id) => sem(task(id)))
    expect(sem.stats()).toMatchObject({ running: 1, waiting: 99 })
    for (let id = 0; id < 100; id++) {
      endFirst()
      await turn()
    }
    expect(await Promise.all(calls)).toHaveLength(100)
  })

  it('lets higher priority go first, in order among equals', async () => {
    const sem = semaphore(1)
    const { task, started, endFirst } = tasks()
    void sem(task(0))
    const priorities = [0, 5, 0, 9, 5]
    priorities.forEach((priority, index) => void sem(task(index + 1), { priority }))
    for (let step = 0; step < 6; step++) {
      endFirst()
      await turn()
    }
    expect(started).toEqual([0, 4, 2, 5, 1, 3])
  })

  it('hands out permits that give back one place, however often they are released', async () => {
    const sem = semaphore(1)
    const permit = await sem.acquire()
    expect(sem.tryAcquire()).toEqual({ ok: false, retryAfterMs: 0 })
    permit.release()
    permit.release()
    permit.settle()
    permit[Symbol.dispose]()
    expect(sem.stats().running).toBe(0)
    const again = sem.tryAcquire()
    expect(again.ok).toBe(true)
    expect(sem.stats().running).toBe(1)
  })

  it('works with using', async () => {
    const sem = semaphore(1)
    const { signal } = new AbortController()
    {
      using permit = await sem.acquire({ signal })
      expect(permit.ok).toBe(true)
      expect(sem.stats().running).toBe(1)
    }
    expect(sem.stats().running).toBe(0)
  })

  it('has no hole where an aborted one waited', async () => {
    const sem = semaphore(1)
    const first = await sem.acquire()
    const controller = new AbortController()
    const left = sem.acquire({ signal: controller.signal })
    const stays = sem.acquire(1, {})
    controller.abort('gone')
    await expect(left).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: 'gone',
      message: 'waiting for the semaphore was aborted by its signal',
    })
    first.release()
    expect((await stays).ok).toBe(true)
    expect(sem.stats()).toMatchObject({ running: 1, waiting: 0, aborted: 1, rejected: 0 })
  })

  it('gives nothing to those whose signal was aborted before', async () => {
    const sem = semaphore(1)
    const task = vi.fn()
    const signal = AbortSignal.abort()
    expect(await codeOf(sem(task, { signal }))).toBe('ERR_ABORTED')
    expect(await codeOf(sem.acquire({ signal }))).toBe('ERR_ABORTED')
    expect(task).not.toHaveBeenCalled()
    expect(sem.stats().running).toBe(0)
  })

  it('does not start a task whose caller left as its turn came', async () => {
    const sem = semaphore(1)
    const controller = new AbortController()
    const permit = await sem.acquire()
    const task = vi.fn()
    const call = codeOf(sem(task, { signal: controller.signal }))
    permit.release()
    controller.abort()
    expect(await call).toBe('ERR_ABORTED')
    expect(task).not.toHaveBeenCalled()
    expect(sem.stats().running).toBe(0)
  })

  it('leaves no listener on the signal', async () => {
    const sem = semaphore(1)
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, 'addEventListener')
    const remove = vi.spyOn(signal, 'removeEventListener')
    const permit = await sem.acquire()
    const waits = sem.acquire({ signal })
    permit.release()
    await waits
    expect(add).toHaveBeenCalledTimes(1)
    expect(remove.mock.calls[0]?.[1]).toBe(add.mock.calls[0]?.[1])
  })

  it('counts weights, and nobody overtakes one that is heavy', async () => {
    const sem = semaphore(4)
    const { task, started, endFirst } = tasks()
    void sem(task(1), { weight: 3 })
    void sem(task(2), { weight: 2 })
    void sem(task(3), { weight: 1 })
    expect(started).toEqual([1])
    endFirst()
    await turn()
    expect(started).toEqual([1, 2, 3])
    expect(sem.stats().running).toBe(3)
  })

  it('lets a light one in when the heavy one before it gives up', async () => {
    const sem = semaphore(2)
    const held = await sem.acquire(1)
    const controller = new AbortController()
    const heavy = codeOf(sem.acquire(2, { signal: controller.signal }))
    const light = sem.acquire(1)
    controller.abort()
    expect(await heavy).toBe('ERR_ABORTED')
    expect((await light).ok).toBe(true)
    held.release()
  })
})

describe('the end of a bulkhead', () => {
  it('is drained when nothing runs and nobody waits', async () => {
    const sem = semaphore(1)
    await sem.drain()
    const { task, endFirst } = tasks()
    void sem(task(1))
    void sem(task(2))
    let drained = false
    const drain = sem.drain().then(() => {
      drained = true
    })
    const aborted = codeOf(sem.drain({ signal: AbortSignal.timeout(1) }))
    expect(await aborted).toBe('ERR_ABORTED')
    expect(sem.stats().aborted).toBe(0)
    endFirst()
    await turn()
    expect(drained).toBe(false)
    endFirst()
    await drain
  })

  it('turns away who waits and who comes, and lets the others finish', async () => {
    const sem = semaphore(1)
    const { task, endFirst } = tasks()
    const runs = sem(task(1))
    const waits = codeOf(sem(task(2)))
    sem.close()
    expect(await waits).toBe('ERR_CLOSED')
    expect(await codeOf(sem(task(3)))).toBe('ERR_CLOSED')
    expect(sem.tryAcquire()).toEqual({ ok: false, retryAfterMs: Number.POSITIVE_INFINITY })
    endFirst()
    expect(await runs).toBe(1)
    await sem.drain()
  })
})

it('tells who waits, who is turned away, and when it is idle', async () => {
  const cells = bulkhead({ max: 1, queue: 1 })
  const seen: unknown[] = []
  const stops = (['wait', 'reject', 'idle'] as const).map((event) =>
    cells.on(event, (data) => seen.push([event, data])),
  )
  const { task, endFirst } = tasks()
  void cells(task(1))
  void cells(task(2))
  await codeOf(cells(task(3)))
  endFirst()
  await turn()
  endFirst()
  await turn()
  for (const stop of stops) stop()
  await cells(() => 1)
  expect(seen).toEqual([
    ['wait', { waiting: 1 }],
    ['reject', { reason: 'full' }],
    ['idle', {}],
  ])
})

describe('a listener', () => {
  it('of wait may free the place that is waited for', async () => {
    const cells = bulkhead({ max: 1, queue: 1 })
    const permit = await cells.acquire()
    cells.on('wait', () => permit.release())
    const run = vi.fn(() => 5)
    void cells(run)
    await turn()
    expect(run).toHaveBeenCalledOnce()
    expect(cells.stats()).toMatchObject({ running: 0, waiting: 0 })
  })

  it('of wait may close the bulkhead, or abort the caller who waits', async () => {
    const closing = bulkhead({ max: 1, queue: 1 })
    await closing.acquire()
    closing.on('wait', () => closing.close())
    let code: unknown
    void codeOf(closing(() => 5)).then((found) => {
      code = found
    })
    await turn()
    expect(code).toBe('ERR_CLOSED')
    const aborting = bulkhead({ max: 1, queue: 1 })
    const permit = await aborting.acquire()
    const controller = new AbortController()
    aborting.on('wait', () => controller.abort())
    expect(await codeOf(aborting(() => 5, { signal: controller.signal }))).toBe('ERR_ABORTED')
    permit.release()
    expect(await aborting(() => 5)).toBe(5)
    expect(aborting.stats()).toMatchObject({ running: 0, waiting: 0, aborted: 1 })
  })

  it('of reject may close the bulkhead', async () => {
    const cells = bulkhead({ max: 1, queue: 2 })
    await cells.acquire()
    cells.on('reject', () => cells.close())
    const waiting = [codeOf(cells(() => 1)), codeOf(cells(() => 2))]
    cells.close()
    expect(await Promise.all(waiting)).toEqual(['ERR_CLOSED', 'ERR_CLOSED'])
    expect(cells.stats()).toMatchObject({ running: 1, waiting: 0, rejected: 2 })
  })
})

describe('wrong options', () => {
  const wrong: [() => unknown, string][] = [
    [() => bulkhead(0), 'max must be a whole number ≥ 1, got 0'],
    [() => semaphore({} as never), "max must be a whole number ≥ 1, got 'nothing'"],
    [() => bulkhead({ max: 1, queu: 1 } as never), "'queu'; did you mean 'queue'?"],
    [() => bulkhead({ max: 1, queue: -1 }), 'queue must be a whole number ≥ 0, got -1'],
    [() => bulkhead({ max: 1, maxWait: 'long' as never }), 'maxWait must be a duration'],
    [() => bulkhead({ max: 1, name: 5 as never }), 'name must be text, got a number'],
    [() => semaphore('5' as never), 'semaphore() takes an options object, got text'],
    [() => semaphore(2).tryAcquire(3), 'must be a whole number from 1 to 2, got 3'],
  ]
  for (const [make, message] of wrong) {
    it(`are refused: ${message}`, () => {
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
      expect(make).toThrow(message)
    })
  }

  it('reject where there is a promise', async () => {
    const sem = semaphore(2)
    expect(await codeOf(sem(() => 1, { weight: 3 }))).toBe('ERR_INVALID_OPTION')
    expect(await codeOf(sem.acquire(0.5))).toBe('ERR_INVALID_OPTION')
    expect(await codeOf(sem.acquire({ input: 5 }, {}))).toBe('ERR_INVALID_OPTION')
    expect(sem.stats().running).toBe(0)
  })
})
