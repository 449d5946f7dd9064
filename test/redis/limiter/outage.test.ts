import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { percentile } from '../servers/load.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { Crowd } from './load.ts'

const RATE = 400
const BURST = 100
const LIMITERS = 3
const CALLERS = 15
/** Whoever waits for Redis does so for 50 ms at most; then a share may have to fill up first. */
const LONGEST_GAP_MS = 50 + 200

let server: RedisProcess
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

/** Full load for a while, what happens in the middle of it, and full load afterwards. */
async function story(what: string, during: () => Promise<void>, mayExceed = 0) {
  await using crowd = new Crowd(server.port, LIMITERS, { rate: RATE, burst: BURST })
  await until('they share', () => crowd.limiters.every((one) => state(one) === 'shared'))
  crowd.start(CALLERS)
  // The burst is gone after that.
  await sleep(700)
  const from = performance.now()
  await during()
  await until('they share again', () => crowd.limiters.every((one) => state(one) === 'shared'))
  await sleep(700)
  const seconds = (performance.now() - from) / 1000
  const count = crowd.since(from)
  const ratio = count / (RATE * seconds)
  const gap = longestGap(crowd.times.filter((at) => at > from))
  process.stdout.write(
    `${what}: ${count} in ${seconds.toFixed(2)} s, ${ratio.toFixed(2)} of the rate, longest gap ` +
      `${Math.round(gap)} ms (process stood still for ${Math.round(crowd.longestStallMs)} ms), wait p99 ${Math.round(percentile(crowd.waits, 0.99))} ms\n`,
  )
  expect(crowd.errors).toEqual([])
  expect(count).toBeLessThanOrEqual(1.2 * RATE * seconds + mayExceed)
  expect(count).toBeGreaterThanOrEqual(0.5 * RATE * seconds)
  expect(gap).toBeLessThan(LONGEST_GAP_MS + 2 * crowd.longestStallMs)
}

const state = (limiter: Crowd['limiters'][number]) => limiter.stats().shared?.state

function longestGap(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] as number)))
}

describe('limiters at full load', () => {
  it('keep the rate while Redis is there', async () => {
    await story('undisturbed', () => sleep(1500))
  })

  it('go on while Redis is killed, and after it has started empty', async () => {
    await story(
      'killed for 1.5 s and restarted',
      async () => {
        await server.kill()
        await sleep(1500)
        await server.start()
      },
      BURST,
    )
  })

  it('go on while Redis is frozen', async () => {
    await story('frozen for 2 s', async () => {
      server.stopSignal()
      await sleep(2000)
      server.continueSignal()
    })
  })

  it('go on when all keys are lost, again and again', async () => {
    const losses = 3
    await story(
      `FLUSHALL ${losses} times`,
      async () => {
        for (let i = 0; i < losses; i++) {
          await server.cli('FLUSHALL')
          await server.cli('SCRIPT', 'FLUSH')
          await sleep(400)
        }
      },
      losses * BURST,
    )
  })

  it('go on when Redis is out of memory or refuses to write', async () => {
    await story(
      'read-only for 1 s',
      async () => {
        await server.cli('REPLICAOF', '127.0.0.1', 1)
        await sleep(1000)
        await server.cli('REPLICAOF', 'NO', 'ONE')
      },
      BURST,
    )
  })
})

describe('limiters that never met Redis', () => {
  it('divide the rate by the instances they were told, and nobody waits for it', async () => {
    await server.kill()
    await using crowd = new Crowd(server.port, LIMITERS, { rate: RATE, burst: BURST })
    const from = performance.now()
    crowd.start(CALLERS)
    await sleep(1500)
    const seconds = (performance.now() - from) / 1000
    process.stdout.write(
      `never met: ${crowd.times.length} in ${seconds.toFixed(2)} s, first after ` +
        `${Math.round((crowd.times[0] as number) - from)} ms\n`,
    )
    expect(crowd.errors).toEqual([])
    expect(crowd.times.length).toBeLessThanOrEqual(1.2 * RATE * seconds + BURST)
    expect((crowd.times[0] as number) - from).toBeLessThan(
      LONGEST_GAP_MS + 2 * crowd.longestStallMs,
    )
  })
})
