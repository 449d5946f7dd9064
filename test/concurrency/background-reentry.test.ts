import { describe, expect, it } from 'vitest'
import { background } from '../../src/concurrency/background.ts'
import type { TaskHandle, TaskInfo } from '../../src/concurrency/background-task.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

const never = () => new Promise<void>(() => {})

describe('listeners of a background that act on it', () => {
  it('may cancel a task that is being dropped: it is refused, and the others stay in line', async () => {
    const clock = new FakeClock()
    const queue = { max: 2, overflow: 'drop-oldest' as const }
    const jobs = background({ clock, concurrency: 1, queue, onError() {} })
    const handles = new Map<string, TaskHandle<unknown>>()
    const cancelled: boolean[] = []
    jobs.on('drop', ({ key }) => cancelled.push(handles.get(key as string)?.cancel() ?? true))
    for (const key of ['a', 'b', 'c', 'd'])
      handles.set(
        key,
        jobs.run(() => key, { key }),
      )
    await clock.advance(0)
    expect(cancelled).toEqual([false])
    await expect(handles.get('a')?.done).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' })
    expect(await Promise.all(['b', 'c', 'd'].map((key) => handles.get(key)?.done))).toEqual([
      'b',
      'c',
      'd',
    ])
    expect(jobs.stats()).toMatchObject({ completed: 3, dropped: 1, cancelled: 0, waiting: 0 })
  })

  it('may cancel a task that is about to start: it does not', async () => {
    const clock = new FakeClock()
    const jobs = background({ clock, concurrency: 1 })
    let ran = false
    const handle = jobs.run(() => {
      ran = true
    })
    jobs.on('start', () => handle.cancel())
    const next = jobs.run(() => 'next')
    await clock.advance(0)
    expect([ran, await next.done, jobs.depth]).toEqual([false, 'next', 0])
    expect(jobs.stats()).toMatchObject({ cancelled: 1, completed: 1 })
  })

  it('may cancel another when a drain aborts one: that one counts as cancelled, once', async () => {
    const clock = new FakeClock()
    const told: unknown[] = []
    const handles: TaskHandle<void>[] = []
    const onError = (_error: unknown, task: TaskInfo) => {
      told.push(task.key)
      handles[1]?.cancel()
    }
    const jobs = background({ clock, concurrency: 2, onError })
    for (const key of ['a', 'b']) handles.push(jobs.run(never, { key }))
    const drained = jobs.drain({ deadline: 5 })
    await clock.advance(5)
    expect([await drained, told]).toEqual([{ done: 0, aborted: 1 }, ['a']])
    expect(jobs.stats()).toMatchObject({ aborted: 1, cancelled: 1 })
  })
})

describe('two drains at once', () => {
  it('are both over when the first one aborts what is left', async () => {
    const clock = new FakeClock()
    const jobs = background({ clock, onError() {} })
    jobs.run(() => new Promise<void>((resolve) => clock.setTimeout(resolve, 5)))
    const short = jobs.drain({ deadline: 10 })
    const long = jobs.drain({ deadline: Infinity })
    await clock.advance(1)
    jobs.run(() => 1, { delay: '1h' })
    await clock.advance(9)
    expect(await short).toEqual({ done: 1, aborted: 1 })
    let isOver = false
    void long.then(() => {
      isOver = true
    })
    await clock.advance(1)
    expect([isOver, clock.pending, jobs.depth]).toEqual([true, 0, 0])
  })

  it('count a promise that never settles once, and do not wait for it again', async () => {
    const clock = new FakeClock()
    const told: unknown[] = []
    const jobs = background({ clock, onError: (error) => told.push(error) })
    let fail = (_error: unknown): void => {}
    jobs.waitUntil(
      new Promise((_resolve, reject) => {
        fail = reject
      }),
    )
    const first = jobs.drain({ deadline: 5 })
    await clock.advance(5)
    expect(await first).toEqual({ done: 0, aborted: 1 })
    expect([await jobs.drain({ deadline: 5 }), jobs.depth]).toEqual([{ done: 0, aborted: 0 }, 0])
    fail('late')
    await clock.advance(0)
    expect([told, jobs.stats()]).toMatchObject([['late'], { aborted: 1, failed: 0, running: 0 }])
  })
})

describe('the wait of a task', () => {
  it('is measured from the very first instant of the clock', async () => {
    const clock = new FakeClock(0)
    const jobs = background({ clock, concurrency: 1 })
    const waits: number[] = []
    jobs.on('start', ({ waitedMs }) => waits.push(waitedMs))
    for (let n = 0; n < 2; n++) {
      jobs.run(() => new Promise<void>((resolve) => clock.setTimeout(resolve, 30)))
    }
    await clock.advance(60)
    expect(waits).toEqual([0, 30])
  })
})
