import { Redis as Redis6 } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/index.ts'
import { type RedisOptions, redis, redisFromEnv } from '../../../src/redis.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function cacheOn(l2: ReturnType<typeof redis>) {
  const cache = createCache({ name: 'app', l2, ttl: '1m', l1: false })
  closers.push(() => cache.close())
  return cache
}

let exercises = 0

async function exercise(l2: () => ReturnType<typeof redis>): Promise<string> {
  const [one, other] = [cacheOn(l2()), cacheOn(l2())]
  for (const cache of [one, other]) await until('ready', () => cache.health().l2.state === 'ready')
  let calls = 0
  // What the one before has loaded last may be stored.
  const key = `k${++exercises}`
  const origin = async () => ({ at: new Date(0), n: ++calls })
  const first = await one.getOrSet(key, origin)
  await until('stored', async () => (await other.get(key)) !== undefined)
  expect(await other.getOrSet(key, origin)).toEqual(first)
  expect(calls).toBe(1)
  expect(await one.delete(key)).toMatchObject({ durable: true })
  expect((await other.getOrSet(key, origin)).n).toBe(2)
  return one.health().l2.source
}

describe('caches that share a redis()', () => {
  it.each([
    ['ioredis 6', Redis6],
    ['ioredis 5.9', Redis5 as unknown as typeof Redis6],
  ])('do so through a url, the environment, or a client of %s', async (_version, Redis) => {
    const server = await startServer({ requirepass: 'pw' })
    closers.push(() => server.stop())
    const url = server.url
    const client = new Redis(url, { commandTimeout: 100, enableOfflineQueue: false })
    client.on('error', () => {})
    closers.push(() => client.disconnect())
    expect(await exercise(() => redis({ url }))).toBe('standalone')
    expect(
      await exercise(() =>
        redisFromEnv({
          REDIS_HOST: '127.0.0.1',
          REDIS_PORT: `${server.port}`,
          REDIS_PASSWORD: 'pw',
        }),
      ),
    ).toBe('standalone')
    const given: RedisOptions = { client }
    expect(await exercise(() => redis(given))).toBe('client')
  })
})
