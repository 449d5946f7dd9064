import { expect, it } from 'vitest'
import { hardened, server, sleep } from './limiters.ts'

it('flushed, killed, frozen and restarted under load: every job runs once, none is rejected', async () => {
  const redis = await server()
  const storeWaitMs = 500
  const limits = [1, 2].map(() =>
    hardened(redis, { id: 'chaos', maxConcurrent: 10 }, { storeWait: storeWaitMs }),
  )
  const runs = new Map<number, number>()
  const jobs: Promise<number>[] = []
  let isOver = false
  let next = 0
  const load = limits.map(async (limit) => {
    while (!isOver) {
      const id = next++
      const job = limit(async () => {
        runs.set(id, (runs.get(id) ?? 0) + 1)
        await sleep(5)
        return id
      })
      job.catch(() => {})
      jobs.push(job)
      await sleep(10)
    }
  })
  const faults = [
    () => redis.cli('FLUSHALL'),
    () => redis.restart(),
    async () => {
      redis.process.kill('SIGSTOP')
      await sleep(2 * storeWaitMs)
      redis.process.kill('SIGCONT')
    },
    async () => {
      await redis.kill()
      await sleep(2 * storeWaitMs)
      await redis.start()
    },
    () => redis.cli('FLUSHALL'),
  ]
  for (const fault of faults) {
    await sleep(400)
    await fault()
  }
  await sleep(400)
  isOver = true
  await Promise.all(load)
  const values = await Promise.all(jobs)
  // Copies that the shared limiter still holds would run now.
  await sleep(500)
  expect(values).toEqual([...values.keys()])
  expect([...runs.values()].filter((times) => times !== 1)).toEqual([])
  expect(runs.size).toBe(values.length)
  expect(limits.map((limit) => limit.stats().waiting)).toEqual([0, 0])
})
