import { describe, expect, it } from 'vitest'
import { hardened, server, sleep } from './limiters.ts'

describe('a limit that processes share', () => {
  it('lets 25 jobs at 10 per second through in some 2 s, not in 10', async () => {
    const redis = await server()
    const limit = hardened(redis, {
      id: 'reservoir',
      reservoir: 10,
      reservoirRefreshAmount: 10,
      reservoirRefreshInterval: 1000,
    })
    await limit(async () => 0, { weight: 0 })
    const startedAt = performance.now()
    const starts: number[] = []
    await Promise.all(
      Array.from({ length: 25 }, () =>
        limit(async () => {
          starts.push(performance.now() - startedAt)
        }),
      ),
    )
    const ms = performance.now() - startedAt
    console.log(`25 jobs at 10 per second: ${(ms / 1000).toFixed(1)} s`)
    // The first refill may come at once: its second began when the limiter was made.
    expect(ms).toBeGreaterThan(1000)
    expect(ms).toBeLessThan(4000)
    expect(starts.filter((at) => at < 900).length).toBeLessThanOrEqual(20)
    expect(limit.stats()).toMatchObject({ startedLocally: 0, storeLosses: 0 })
  })

  it('counts for two of them together', async () => {
    const redis = await server()
    const two = [1, 2].map(() => hardened(redis, { id: 'both', maxConcurrent: 3 }))
    let now = 0
    let most = 0
    const task = async () => {
      most = Math.max(most, ++now)
      await sleep(10)
      now--
    }
    await Promise.all(two.flatMap((limit) => Array.from({ length: 15 }, () => limit(task))))
    expect(most).toBe(3)
  })

  it('a long wait for a place is not taken for a dead store', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'patient', maxConcurrent: 1 }, { storeWait: '200ms' })
    const first = limit(() => sleep(1000))
    const second = limit(async () => 'second')
    expect([await first, await second]).toEqual([undefined, 'second'])
    expect(limit.stats()).toMatchObject({ startedLocally: 0, storeLosses: 0 })
  })

  it('a process that died gives its places back after `forgetAfter`', async () => {
    const redis = await server()
    const dead = hardened(redis, { id: 'dead', maxConcurrent: 1 }, { forgetAfter: '700ms' })
    const hung = dead(() => new Promise(() => {}))
    await sleep(200)
    void hung.catch(() => {})
    await dead.close()
    const living = hardened(redis, { id: 'dead', maxConcurrent: 1 }, { forgetAfter: '700ms' })
    expect(await living(async () => 'runs')).toBe('runs')
    expect(living.stats().startedLocally).toBe(0)
  })

  it('a job that takes longer than `forgetAfter` runs on, and gives its result', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'long', maxConcurrent: 1 }, { forgetAfter: '200ms' })
    const order: string[] = []
    const long = limit(async () => {
      await sleep(700)
      order.push('long')
      return 'long'
    })
    const short = limit(async () => order.push('short'))
    expect([await long, await short, order]).toEqual(['long', 1, ['short', 'long']])
    expect(limit.stats()).toMatchObject({ completed: 2, running: 0, waiting: 0 })
  })
})
