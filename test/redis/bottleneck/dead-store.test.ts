import Bottleneck from 'bottleneck'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { bottleneckLimiter } from '../../../src/adapters/bottleneck/bottleneck-limiter.ts'
import { until } from '../servers/until.ts'
import { endOf, hardened, raw, server, sleep } from './limiters.ts'

describe('Redis is killed', () => {
  it('bottleneck itself keeps its jobs waiting', async () => {
    const redis = await server()
    const limiter = raw(redis, { id: 'raw', maxConcurrent: 2 })
    await limiter.schedule(async () => 1)
    await redis.kill()
    const job = limiter.schedule({ expiration: 500 }, async () => 2)
    job.catch(() => {})
    expect(await endOf(3000, job)).toBe('pending')
  })

  it('ours runs them within storeWait, under the same limit in this process', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'ours', maxConcurrent: 2 }, { storeWait: '1s' })
    const events: unknown[] = []
    limit.on('store-lost', (event) => events.push(event))
    await limit(async () => 1)
    expect(limit.stats().store).toBe('ready')
    await redis.kill()

    const startedAt = performance.now()
    let now = 0
    let most = 0
    const waits: number[] = []
    const jobs = Array.from({ length: 8 }, (_, n) =>
      limit(async () => {
        waits.push(performance.now() - startedAt)
        most = Math.max(most, ++now)
        await sleep(5)
        now--
        return n
      }),
    )
    expect(await Promise.all(jobs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    // A job of bottleneck takes some milliseconds in process, and the machine may be busy.
    expect(Math.min(...waits)).toBeLessThan(1000 + 100)
    expect(most).toBe(2)
    expect(events).toEqual([{ name: 'ours', waiting: 8 }])

    const again = performance.now()
    await limit(async () => 1)
    expect(performance.now() - again).toBeLessThan(300)
    expect(limit.stats()).toMatchObject({ store: 'lost', storeLosses: 1, startedLocally: 9 })
  })

  it('a result does not wait for it, where the task had begun before', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'begun', maxConcurrent: 2 }, { storeWait: '30s' })
    let finish = (_value: string): void => {}
    const job = limit(
      () =>
        new Promise<string>((resolve) => {
          finish = resolve
        }),
    )
    await until('it runs', () => limit.stats().running === 1)
    await redis.kill()
    finish('value')
    expect(await endOf(500, job)).toBe('done')
  })

  it('the store limits again when it is back, and no job has run twice', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'back', maxConcurrent: 2 }, { storeWait: '500ms' })
    let isBack = false
    limit.on('store-back', () => {
      isBack = true
    })
    const runs = new Map<number, number>()
    const job = (n: number) =>
      limit(async () => {
        runs.set(n, (runs.get(n) ?? 0) + 1)
        await sleep(5)
      })
    await job(0)
    await redis.kill()
    await Promise.all(Array.from({ length: 10 }, (_, n) => job(n + 1)))
    await redis.start()
    let next = 100
    await until('the store is used again', async () => {
      await job(next++)
      return isBack
    })
    const local = limit.stats().startedLocally
    await Promise.all([20, 21, 22].map(job))
    expect(limit.stats()).toMatchObject({ store: 'ready', startedLocally: local })
    // The copies that waited in the shared limiter get their turn now, and find nothing to do.
    await sleep(300)
    expect([...runs.values()].filter((times) => times !== 1)).toEqual([])
    expect(runs.size).toBe(1 + 10 + 3 + (next - 100))
  })
})

describe('Redis hangs', () => {
  it('a frozen one costs storeWait, and is used again after it thaws', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'frozen', maxConcurrent: 5 }, { storeWait: '400ms' })
    await limit(async () => 1)
    redis.process.kill('SIGSTOP')
    try {
      const startedAt = performance.now()
      await limit(async () => 2)
      expect(performance.now() - startedAt).toBeLessThan(400 + 100)
    } finally {
      redis.process.kill('SIGCONT')
    }
    await until('it is used again', async () => {
      await limit(async () => 3)
      return limit.stats().store === 'ready'
    })
  })

  it('one that is not there at the start is no reason to wait longer', async () => {
    const redis = await server()
    await redis.kill()
    const limit = hardened(redis, { id: 'start', maxConcurrent: 5 }, { storeWait: '400ms' })
    expect(
      await endOf(
        600,
        limit(async () => 1),
      ),
    ).toBe('done')
    await redis.start()
    await until('it is used', async () => {
      await limit(async () => 2)
      return limit.stats().store === 'ready'
    })
  })

  it('one that refuses the password costs storeWait', async () => {
    const redis = await server()
    await redis.cli('CONFIG', 'SET', 'requirepass', 'x')
    const limit = hardened(redis, { id: 'repaired', maxConcurrent: 5 }, { storeWait: '300ms' })
    expect(
      await endOf(
        600,
        limit(async () => 1),
      ),
    ).toBe('done')
    expect(limit.stats().store).toBe('lost')
  })

  it('a read-only replica limits nobody, and the limiter is made anew once it is a master', async () => {
    const redis = await server()
    await redis.cli('REPLICAOF', '127.0.0.1', '1')
    const limit = hardened(redis, { id: 'replica', maxConcurrent: 5 }, { storeWait: '300ms' })
    expect(
      await endOf(
        600,
        limit(async () => 1),
      ),
    ).toBe('done')
    expect(limit.stats().store).toBe('lost')
    await redis.cli('REPLICAOF', 'NO', 'ONE')
    await until('it is used', async () => {
      await limit(async () => 2)
      return limit.stats().store === 'ready'
    })
  })
})

describe('a connection of the user', () => {
  it('is shared, is not changed, and stays open', async () => {
    const redis = await server()
    const connection = new Bottleneck.IORedisConnection({
      Redis,
      clientOptions: { host: '127.0.0.1', port: redis.port },
    })
    try {
      const limit = bottleneckLimiter({ id: 'mine', connection, maxConcurrent: 2 })
      await limit(async () => 1)
      await redis.cli('FLUSHALL')
      expect(
        await endOf(
          2000,
          limit(async () => 2),
        ),
      ).toBe('done')
      await limit.close()
      const other = bottleneckLimiter({ id: 'other', connection })
      expect(
        await endOf(
          2000,
          other(async () => 3),
        ),
      ).toBe('done')
      await other.close()
      expect(Object.hasOwn(connection, '__scriptArgs__')).toBe(false)
    } finally {
      await connection.disconnect(false)
    }
  })

  it('keeps nothing of a limiter that is closed, even before it was ready', async () => {
    const redis = await server()
    const clientOptions = { host: '127.0.0.1', port: redis.port }
    const connection = new Bottleneck.IORedisConnection({ Redis, clientOptions })
    const mine = () => {}
    connection.on('error', mine)
    const { Events, limiters } = connection as unknown as {
      Events: { _events: { error?: { cb: unknown }[] } }
      limiters: object
    }
    try {
      for (const isUsed of [true, false]) {
        const limit = bottleneckLimiter({ id: `used ${isUsed}`, connection, maxConcurrent: 2 })
        if (isUsed) expect(await limit(async () => 1)).toBe(1)
        await limit.close()
      }
      // What was closed before it was ready has entered itself by then.
      const last = bottleneckLimiter({ id: 'last', connection })
      await last(async () => 1)
      await last.close()
      await expect.poll(() => Object.keys(limiters)).toEqual([])
      expect(Events._events.error?.map(({ cb }) => cb)).toEqual([mine])
    } finally {
      await connection.disconnect(false)
    }
  })
})
