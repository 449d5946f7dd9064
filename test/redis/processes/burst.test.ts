import { availableParallelism } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster } from '../servers/cluster.ts'
import { percentile } from '../servers/load.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { startWorkers, type Worker } from './crew.ts'
import type { Asked, BurstFigures, Place } from './questions.ts'

const PROCESSES = 10
const ORIGIN_MS = 500
const soon = () => Date.now() + 400
const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0)

describe('many processes on one key', () => {
  let server: RedisProcess
  let workers: Worker[]
  beforeAll(async () => {
    ;[server, workers] = await Promise.all([startServer(), startWorkers(PROCESSES)])
  })
  afterAll(async () => {
    await Promise.all((workers ?? []).map((worker) => worker.stop()))
    await server?.stop()
  })

  async function burst(place: Place, asked: Omit<Asked, 'at'>, crew = workers) {
    await Promise.all(crew.map((worker) => worker.open(place)))
    const at = soon()
    const all = await Promise.all(crew.map((worker) => worker.burst({ ...asked, at })))
    const times = all.flatMap((one) => one.times)
    return {
      calls: sum(all.map(({ calls }) => calls)),
      answers: new Set(all.flatMap(({ answers }) => answers)),
      count: times.length,
      p99: percentile(times, 0.99),
      max: percentile(times, 1),
      took: all.map(({ tookMs }) => tookMs),
    }
  }

  async function isLoadedOnce(what: string, place: Place): Promise<void> {
    const asked = { key: 'cold', callers: 1000, originMs: ORIGIN_MS, outcome: 'value' } as const
    const { calls, answers, count, p99, max } = await burst(place, asked)
    const figures = `p99 ${Math.round(p99)}, max ${Math.round(max)} ms of an origin of ${ORIGIN_MS} ms`
    process.stdout.write(
      `${what}: ${PROCESSES} x 1000 callers, ${calls} origin call, ${figures}, ${availableParallelism()} cores\n`,
    )
    expect(calls).toBe(1)
    expect(answers.size).toBe(1)
    expect([...answers][0]).toMatch(/^cold by /)
    expect(count).toBe(PROCESSES * 1000)
    if (availableParallelism() > PROCESSES) expect(p99).toBeLessThan(ORIGIN_MS + 15)
  }

  it('call its origin once for 10,000 callers on one server', async () => {
    await isLoadedOnce('one server', { name: 'once', url: server.url })
  })

  it('call its origin once for 10,000 callers on a cluster', async () => {
    const cluster = await startCluster({ masters: 3 })
    try {
      const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
      await isLoadedOnce('a cluster', { name: 'once', cluster: nodes })
    } finally {
      await cluster.stop()
    }
  })

  it('call an origin that fails three times at most, and all callers get its error', async () => {
    const asked = { key: 'broken', callers: 100, originMs: 100, outcome: 'failure' } as const
    const { calls, answers, p99 } = await burst({ name: 'failing', url: server.url }, asked)
    process.stdout.write(`failing origin: ${calls} calls, p99 ${Math.round(p99)} ms\n`)
    expect(calls).toBeGreaterThan(0)
    expect(calls).toBeLessThanOrEqual(3)
    expect([...answers]).toEqual(['RangeError: no such partner (E_PARTNER)'])
  })

  it('do not queue for a value that may not be stored', async () => {
    const asked = { key: 'private', callers: 20, originMs: 300, outcome: 'uncached' } as const
    const { calls, took } = await burst({ name: 'uncached', url: server.url }, asked)
    const longest = Math.max(...took)
    process.stdout.write(
      `uncached: ${calls} calls, the last ended after ${Math.round(longest)} ms\n`,
    )
    // One after the other would take ten times as long as one.
    expect(longest).toBeLessThan(4 * 300)
    expect(calls).toBeLessThanOrEqual(2 * PROCESSES)
  })

  it('take over from one that is killed while it loads', async () => {
    const [holder, ...others] = (await startWorkers(3)) as [Worker, ...Worker[]]
    try {
      const place = { name: 'killed', url: server.url }
      await Promise.all([holder, ...others].map((worker) => worker.open(place)))
      const asked = { key: 'slow', callers: 10, outcome: 'value', tellsOrigin: true } as const
      const called = holder.origin()
      const lost = holder.burst({ ...asked, at: 0, originMs: 60_000 }).catch(() => undefined)
      await called
      const taken = Promise.race(others.map((worker) => worker.origin()))
      const waiting = others.map((worker) => worker.burst({ ...asked, at: 0, originMs: 50 }))
      // They have to be waiting when it dies.
      await others[0]?.ask('health')
      const killedAt = performance.now()
      holder.child.kill('SIGKILL')
      await taken
      const tookMs = performance.now() - killedAt
      const figures: BurstFigures[] = await Promise.all(waiting)
      await lost
      process.stdout.write(`killed holder: taken over after ${Math.round(tookMs)} ms\n`)
      expect(tookMs).toBeLessThan(5500)
      expect(sum(figures.map(({ calls }) => calls))).toBe(1)
      expect(new Set(figures.flatMap(({ answers }) => answers)).size).toBe(1)
    } finally {
      await Promise.all([holder, ...others].map((worker) => worker.stop()))
    }
  })
})
