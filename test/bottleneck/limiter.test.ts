import { AsyncLocalStorage } from 'node:async_hooks'
import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type BottleneckLimiter,
  bottleneckLimiter,
} from '../../src/adapters/bottleneck/bottleneck-limiter.ts'
import type { BottleneckOptions } from '../../src/adapters/bottleneck/limiter-options.ts'
import { isRunner } from '../../src/contracts/runner.ts'
import { each, refusals } from '../misuse/refusals.ts'

const open: BottleneckLimiter[] = []
afterEach(async () => {
  for (const limit of open.splice(0)) await limit.close()
})

function make(options: BottleneckOptions = {}) {
  const limit = bottleneckLimiter(options, { name: 'partner' })
  open.push(limit)
  return limit
}

/** A task that ends when told to. */
function held() {
  let release = (): void => {}
  const task = () =>
    new Promise<void>((resolve) => {
      release = resolve
    })
  return { task, release: () => release() }
}

const started = (limit: BottleneckLimiter) =>
  expect.poll(() => limit.stats().running, { interval: 2 }).toBe(1)

describe('bottleneckLimiter without a store', () => {
  it('is a Runner with a name that gives values, errors and a signal', async () => {
    const limit = make()
    expect([isRunner(limit), limit.name]).toEqual([true, 'partner'])
    expect(await limit((signal) => signal.aborted)).toBe(false)
    const { signal } = new AbortController()
    expect(await limit((given) => given === signal, { signal })).toBe(true)
    await expect(limit(() => Promise.reject(new Error('own')))).rejects.toThrow('own')
    await expect(
      limit(() => {
        throw new Error('at once')
      }),
    ).rejects.toThrow('at once')
    expect(limit.stats()).toEqual({
      waiting: 0,
      running: 0,
      completed: 4,
      startedLocally: 0,
      dropped: 0,
      storeLosses: 0,
      store: 'none',
    })
  })

  it('takes the higher priority first', async () => {
    const limit = make({ maxConcurrent: 1 })
    const order: number[] = []
    const { task, release } = held()
    const first = limit(task)
    await started(limit)
    const others = [-9, 0, 2, 9, 1].map((priority) =>
      limit(() => order.push(priority), { priority }),
    )
    await expect.poll(() => limit.stats().waiting).toBe(5)
    // Queued only after a turn of its own store.
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    await Promise.all([first, ...others])
    expect(order).toEqual([9, 2, 1, 0, -9])
  })

  it('keeps the async context of each caller', async () => {
    const request = new AsyncLocalStorage<string>()
    const limit = make({ maxConcurrent: 1 })
    const seen = await Promise.all(
      ['a', 'b'].map((id) =>
        request.run(id, () =>
          limit(async () => {
            await null
            return request.getStore()
          }),
        ),
      ),
    )
    expect(seen).toEqual(['a', 'b'])
  })

  it('lets go of a waiting job whose signal aborts, and never runs it', async () => {
    const limit = make({ maxConcurrent: 1 })
    const { task, release } = held()
    const first = limit(task)
    await started(limit)
    const controller = new AbortController()
    let ran = false
    const job = limit(
      () => {
        ran = true
      },
      { signal: controller.signal },
    )
    controller.abort(new Error('client left'))
    await expect(job).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: { message: 'client left' },
    })
    await expect(limit(() => 1, { signal: controller.signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    expect(limit.stats().waiting).toBe(0)
    release()
    await first
    expect(await limit(() => 'next')).toBe('next')
    expect(ran).toBe(false)
  })

  it('says that highWater drops a job', async () => {
    const limit = make({ maxConcurrent: 1, highWater: 0, strategy: 2 as never })
    const { task, release } = held()
    const first = limit(task)
    await started(limit)
    await expect(limit(() => 1)).rejects.toMatchObject({
      code: 'ERR_RATE_LIMITED',
      retryable: true,
      message:
        "limiter 'partner' dropped a job: highWater jobs are waiting; try later, or raise it",
    })
    release()
    await first
    expect(limit.stats()).toMatchObject({ dropped: 1, completed: 1 })
  })

  it('says that a weight can never fit', async () => {
    await expect(make({ maxConcurrent: 2 })(() => 1, { weight: 3 })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      retryable: false,
    })
  })

  it.each([Number.NaN, -3, '2'])('refuses a weight of %j, and goes on', async (weight) => {
    const limit = make({ maxConcurrent: 2 })
    const refused = limit(() => 1, { weight: weight as number })
    await expect(refused).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    expect(await limit(() => 2)).toBe(2)
  })

  it('closed does not keep the process alive for jobs that had to wait', () => {
    const entry = new URL('../../src/bottleneck.ts', import.meta.url)
    const program = `
      const { bottleneckLimiter } = await import('${entry}')
      const limit = bottleneckLimiter({ minTime: 60_000 })
      const jobs = [1, 2, 3].map(() => limit(() => 1).catch((error) => error.code))
      await jobs[0]
      await limit.close()
      console.log((await Promise.all(jobs)).join())`
    const run = ['--input-type=module', '-e', program]
    const said = execFileSync(process.execPath, run, { timeout: 10_000, encoding: 'utf8' })
    expect(said.trim()).toBe('1,ERR_CLOSED,ERR_CLOSED')
  })

  it('rejects what waits when it is closed, and what comes later', async () => {
    const limit = make({ maxConcurrent: 1 })
    const { task, release } = held()
    const first = limit(task)
    await started(limit)
    const waiting = limit(() => 1)
    const closed = limit.close()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await expect(limit(() => 1)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    release()
    await Promise.all([first, closed, limit.close()])
  })

  it('refuses wrong options with the remedy', async () => {
    const option = (name: string, values: readonly unknown[]) =>
      each(name, values, (value) => bottleneckLimiter({ [name]: value }))
    const second = (name: string, values: readonly unknown[]) =>
      each(name, values, (value) => bottleneckLimiter({}, { [name]: value }))
    expect(
      await refusals({
        ...each('options', [null, 5], (value) => bottleneckLimiter(value)),
        ...option('maxConcurent', [5]),
        ...option('rejectOnDrop', [false]),
        ...option('datastore', ['valkey']),
        ...second('storeWaitMs', [5]),
        ...second('storeWait', [0, Infinity, 'soon']),
        ...second('forgetAfter', ['never']),
        ...second('local', [5, { minTimes: 5 }]),
        ...second('name', [5]),
        'a promise as task': () => make()(Promise.resolve() as never),
      }),
    ).toMatchInlineSnapshot(`
      "
      options: null
          bottleneckLimiter() takes an options object, got null
      options: 5
          bottleneckLimiter() takes an options object, got a number
      maxConcurent: 5
          unknown option of bottleneckLimiter(): 'maxConcurent'; did you mean 'maxConcurrent'?
      rejectOnDrop: false
          unknown option of bottleneckLimiter(): 'rejectOnDrop'; known are maxConcurrent, minTime, reservoir, reservoirRefreshAmount, reservoirIncreaseAmount, reservoirIncreaseMaximum, highWater, strategy, penalty, id, reservoirRefreshInterval, reservoirIncreaseInterval, datastore, clientOptions, clusterNodes, connection, Redis, clearDatastore, timeout, heartbeatInterval, clientTimeout
      datastore: "valkey"
          datastore must be one of local, redis, ioredis; got text
      storeWaitMs: 5
          unknown option of the second argument of bottleneckLimiter(): 'storeWaitMs'; did you mean 'storeWait'?
      storeWait: 0
          storeWait must be longer than 0 and finite
      storeWait: "Infinity"
          storeWait must be longer than 0 and finite
      storeWait: "soon"
          storeWait must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'soon'
      forgetAfter: "never"
          forgetAfter must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'never'
      local: 5
          local takes an options object, got a number
      local: {"minTimes":5}
          unknown option of local: 'minTimes'; did you mean 'minTime'?
      name: 5
          name must be text, got a number
      a promise as task
          a limiter takes a function, got an object
      "
    `)
  })
})
