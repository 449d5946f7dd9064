import { describe, expect, it } from 'vitest'
import { endOf, hardened, raw, server, sleep } from './limiters.ts'

describe('the keys of the limiter get lost', () => {
  it('bottleneck itself rejects every job from then on', async () => {
    const redis = await server()
    const limiter = raw(redis, { id: 'raw', maxConcurrent: 2 })
    await limiter.schedule(async () => 1)
    await redis.cli('FLUSHALL')
    const ends = []
    for (let n = 0; n < 5; n++)
      ends.push(
        await endOf(
          2000,
          limiter.schedule(async () => n),
        ),
      )
    expect(new Set(ends)).toEqual(new Set(['ERR SETTINGS_KEY_NOT_FOUND']))
  })

  it('ours runs every job, and limits them as before', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'ours', maxConcurrent: 2 })
    let now = 0
    let most = 0
    const task = (value: number) => async () => {
      most = Math.max(most, ++now)
      await sleep(15)
      now--
      return value
    }
    expect(await limit(task(0))).toBe(0)
    for (let round = 0; round < 3; round++) {
      await redis.cli('FLUSHALL')
      most = 0
      const values = await Promise.all([1, 2, 3, 4, 5, 6].map((value) => limit(task(value))))
      expect(values).toEqual([1, 2, 3, 4, 5, 6])
      expect(most).toBe(2)
    }
    expect(limit.stats()).toMatchObject({ completed: 19, startedLocally: 0, storeLosses: 0 })
  })

  it('jobs that wait when it happens go on too', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'waiting', maxConcurrent: 1 }, { storeWait: '1s' })
    let release = (): void => {}
    const first = limit(
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    )
    await sleep(100)
    const others = [1, 2, 3].map((value) => limit(async () => value))
    await sleep(100)
    await redis.cli('FLUSHALL')
    const ends = Promise.all(others)
    expect(await endOf(4000, ends)).toBe('done')
    release()
    await first
    expect(limit.stats()).toMatchObject({ completed: 4, waiting: 0, running: 0, storeLosses: 0 })
  })

  it('a client that the store has forgotten is known again', async () => {
    const redis = await server()
    const limit = hardened(redis, { id: 'pause', maxConcurrent: 2 })
    await limit(async () => 1)
    await redis.cli('DEL', 'b_pause_client_last_seen')
    expect(
      await endOf(
        2000,
        limit(async () => 2),
      ),
    ).toBe('done')
    expect(limit.stats()).toMatchObject({ completed: 2, storeLosses: 0 })
  })
})
