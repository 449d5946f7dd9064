import { Redis } from 'ioredis'
import { scriptCalls, startRedis } from '../harness/redis-server.ts'
import { timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'
import { kilobyteValue } from './sample.ts'

const SLICE_MS = 10

/**
 * A miss: L2 is asked, the origin answers at once, the caller has its value; what is stored is stored
 * behind its back. The reference is what a hand-written cache does, `get` and then `set`.
 */
export const scene: Scene = async ({ library, loadRedis, settings }) => {
  const server = await startRedis()
  const { host, port } = server
  const client = new Redis({ host, port })
  const redis = await loadRedis()
  const l2 = redis({ url: `redis://${host}:${port}`, timeout: '5s' })
  const cache = library.createCache({ name: 'bench', ttl: '1h', l1: false, l2 })
  try {
    await cache.ready({ timeout: '10s', strict: true })
    const value = kilobyteValue(1)
    const partner = cache.cached(async (_id: number) => value, { name: 'partner' })
    let next = 0
    const timings = await timeInRounds(
      [
        {
          name: 'miss',
          async run(count) {
            let last: unknown
            for (let i = 0; i < count; i++) last = await partner(next++)
            return last
          },
        },
        {
          name: 'plain',
          async run(count) {
            let last: unknown
            for (let i = 0; i < count; i++) {
              const key = `plain:${next++}`
              last = await client.get(key)
              await client.set(key, JSON.stringify(value), 'EX', 3600)
            }
            return last
          },
        },
      ],
      { ...settings, sliceMs: SLICE_MS },
    )
    const before = await scriptCalls(client)
    await partner(next++)
    // Of the same connection, after the commit.
    await partner.invalidate(-1)
    const commands = (await scriptCalls(client)) - before - 1
    const us = (name: string) => (timings[name] ?? []).map((ns) => ns / 1000)
    const parts = {
      p99Us: quantile(us('miss'), 0.99),
      getAndSetUs: median(us('plain')),
      roundTrips: commands,
    }
    return [{ id: 'redis-miss', samples: us('miss'), parts }]
  } finally {
    await cache.close()
    client.disconnect()
    await server.stop()
  }
}
