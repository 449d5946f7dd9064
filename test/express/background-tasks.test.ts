import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { backgroundTasks } from '../../src/adapters/express/background-tasks.ts'
import { background } from '../../src/concurrency/background.ts'
import { each, refusals } from '../misuse/refusals.ts'
import { serve } from './app.ts'

const p50 = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1] as number

describe('res.after', () => {
  it('runs its tasks after the response has been sent, in order', async () => {
    const log: unknown[] = []
    const jobs = background({ concurrency: 1 })
    const url = await serve((app) => {
      app.use(backgroundTasks(jobs))
      app.get('/', (_request, response) => {
        for (const n of [1, 2]) {
          response.after((signal) => log.push([n, response.writableFinished, signal.aborted]))
        }
        log.push('handler')
        response.send('ok')
        log.push('sent')
      })
    })
    await (await fetch(url)).text()
    await jobs.drain()
    expect(log).toEqual(['handler', 'sent', [1, true, false], [2, true, false]])
  })

  it('runs what is handed in when the response is over already', async () => {
    const jobs = background()
    let ran = (): void => {}
    const done = new Promise<void>((resolve) => {
      ran = resolve
    })
    const url = await serve((app) => {
      app.use(backgroundTasks(jobs))
      app.get('/', (_request, response) => {
        response.send('ok')
        setTimeout(() => response.after(() => ran()), 30)
      })
    })
    await (await fetch(url)).text()
    await done
    await jobs.drain()
    expect(jobs.stats().completed).toBe(1)
  })

  it('runs it once also where the client goes away before the answer', async () => {
    const jobs = background()
    const controller = new AbortController()
    const url = await serve((app) => {
      app.use(backgroundTasks(jobs))
      app.get('/', (_request, response) => {
        response.after(() => 1)
        controller.abort()
      })
    })
    await expect(fetch(url, { signal: controller.signal })).rejects.toThrow()
    await expect.poll(() => jobs.stats().completed).toBe(1)
  })

  it('keeps the async context of the request', async () => {
    const request = new AsyncLocalStorage<string>()
    const jobs = background()
    const seen: unknown[] = []
    const url = await serve((app) => {
      app.use(({ path }, _response, next) => request.run(path, next))
      app.use(backgroundTasks(jobs))
      app.get('/:id', (_request, response) => {
        response.after(() => seen.push(request.getStore()))
        response.send('ok')
      })
    })
    await Promise.all(['a', 'b'].map(async (id) => (await fetch(`${url}/${id}`)).text()))
    await expect.poll(() => jobs.stats().completed).toBe(2)
    expect(seen.sort()).toEqual(['/a', '/b'])
  })

  it('makes the response independent of how long the work takes', async () => {
    const workMs = 120
    const jobs = background({ concurrency: 100 })
    const work = () => new Promise((resolve) => setTimeout(resolve, workMs))
    const url = await serve((app) => {
      app.use(backgroundTasks(jobs))
      app.get('/none', (_request, response) => {
        response.send('ok')
      })
      app.get('/after', (_request, response) => {
        response.after(work)
        response.send('ok')
      })
      app.get('/before', async (_request, response) => {
        await work()
        response.send('ok')
      })
    })
    const times = async (path: string, count: number) => {
      const all: number[] = []
      for (let n = 0; n < count; n++) {
        const startedAt = performance.now()
        await (await fetch(url + path)).text()
        all.push(performance.now() - startedAt)
      }
      return p50(all)
    }
    await times('/none', 10)
    const [none, after, before] = [
      await times('/none', 30),
      await times('/after', 30),
      await times('/before', 3),
    ]
    await jobs.drain()
    console.log(
      `response p50 with ${workMs} ms of work: none ${none.toFixed(1)} ms, ` +
        `after ${after.toFixed(1)} ms, awaited ${before.toFixed(1)} ms`,
    )
    expect(after).toBeLessThan(workMs / 2)
    expect(before).toBeGreaterThanOrEqual(workMs - 2)
    expect(jobs.stats().completed).toBe(30)
  })

  it('refuses what is not a task', async () => {
    const jobs = background()
    const url = await serve((app) => {
      app.use(backgroundTasks(jobs))
      app.get('/', (_request, response) => {
        try {
          response.after(Promise.resolve() as never)
        } catch (error) {
          response.send((error as Error).message)
        }
      })
    })
    expect(await (await fetch(url)).text()).toBe('res.after() takes a function, got an object')
    expect(
      await refusals(each('background', [undefined, {}], (value) => backgroundTasks(value))),
    ).toMatchInlineSnapshot(`
      "
      background: undefined
          backgroundTasks() takes a background(), got undefined
      background: {}
          backgroundTasks() takes a background(), got an object
      "
    `)
  })
})
