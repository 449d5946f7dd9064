import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { perSecond } from '../../../src/policies/rate/limit.ts'
import { rateLimiter } from '../../../src/policies/rate/rate-limiter.ts'
import { startCluster } from '../servers/cluster.ts'
import { guardChild } from '../servers/guard.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'

const PROCESSES = 3
const RATE = 500
const BURST = 100

interface Report {
  readonly times: number[]
  readonly errors: number
  readonly shared: { readonly instances: number; readonly calls: number }
}

describe('limiters of several processes', () => {
  let server: RedisProcess
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(async () => {
    await server?.stop()
  })

  it('keep the rate together', async () => {
    const workers = await Promise.all(
      Array.from({ length: PROCESSES }, () => startWorker(server.port)),
    )
    for (const worker of workers) worker.send('start')
    await sleep(3000)
    const reports = await Promise.all(workers.map(stop))
    const times = reports.flatMap((report) => report.times).sort((a, b) => a - b)
    const [first = 0] = times
    // After the burst, and before the first of them was stopped.
    const [from, to] = [first + 700, Math.min(...reports.map((one) => one.times.at(-1) ?? 0))]
    const count = times.filter((at) => at > from && at <= to).length
    const ratio = count / ((RATE * (to - from)) / 1000)
    const calls = reports.reduce((sum, { shared }) => sum + shared.calls, 0)
    process.stdout.write(
      `${PROCESSES} processes: ${count} in ${to - from} ms, ${ratio.toFixed(2)} of the rate, each ` +
        `${reports.map((one) => one.times.length)}; ${calls} questions to Redis for ${times.length} calls\n`,
    )
    expect(reports.map(({ errors }) => errors)).toEqual(Array(PROCESSES).fill(0))
    expect(reports.map(({ shared }) => shared.instances)).toContain(PROCESSES)
    expect(ratio).toBeLessThanOrEqual(1.2)
    expect(ratio).toBeGreaterThan(0.6)
    const seconds = (to - first) / 1000
    expect(times.filter((at) => at <= to).length).toBeLessThanOrEqual(
      1.2 * (RATE * seconds + BURST),
    )
  })

  it('share a pause through Redis', async () => {
    const clients = [new Redis(server.port), new Redis(server.port)]
    const [one, other] = clients.map((redis) =>
      rateLimiter({
        name: 'paused',
        limits: { requests: perSecond(1000) },
        distributed: { redis },
      }),
    ) as [ReturnType<typeof rateLimiter>, ReturnType<typeof rateLimiter>]
    await until('they share', () => other.stats().shared?.state === 'shared')
    await until('they share', () => one.stats().shared?.state === 'shared')
    one.observe({ status: 429, headers: { 'retry-after': '1' } })
    await sleep(30)
    await until('the other has heard of it', () => {
      other.tryAcquire()
      return other.stats().pausedMs > 500
    })
    for (const limiter of [one, other]) limiter.close()
    await sleep(20)
    for (const client of clients) client.disconnect()
  })

  it('work on a cluster, with its two keys in one slot', async () => {
    const cluster = await startCluster({ masters: 3 })
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
    const redis = new Cluster(nodes)
    try {
      const limiter = rateLimiter({
        name: 'on a cluster}{',
        limits: { requests: perSecond(1000) },
        distributed: { redis },
      })
      await until('it shares', () => {
        limiter.tryAcquire()
        return limiter.stats().shared?.state === 'shared'
      })
      for (let i = 0; i < 50; i++) await limiter(() => i)
      expect(limiter.stats().shared?.state).toBe('shared')
      limiter.close()
      await sleep(20)
    } finally {
      redis.disconnect()
      await cluster.stop()
    }
  })
})

async function startWorker(port: number): Promise<ChildProcess> {
  const args = [port, 15, RATE, BURST].map(String)
  const worker = fork(new URL('./worker.ts', import.meta.url), args, { execArgv: [] })
  guardChild(worker)
  await once(worker, 'message')
  return worker
}

async function stop(worker: ChildProcess): Promise<Report> {
  worker.send('stop')
  const [report] = (await once(worker, 'message')) as [Report]
  if (worker.exitCode === null) await once(worker, 'exit')
  return report
}
