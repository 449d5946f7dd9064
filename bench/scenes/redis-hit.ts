import { Redis } from 'ioredis'
import { scriptCalls, startRedis } from '../harness/redis-server.ts'
import { ratios, type Timings, timeInRounds } from '../harness/rounds.ts'
import type { Scene } from '../harness/scene.ts'
import { median, quantile } from '../harness/statistics.ts'
import { kilobyteValue } from './sample.ts'

const KEYS = 1000
const AT_ONCE = 100
/** A round trip is a thousand times as long as what the other scenes time. */
const SLICE_MS = 10

/**
 * A value of 1 kB that L2 has, through a cached function without L1: one at a time, and 100 at once;
 * and 100 copies in L1 whose time has passed, compared with L2. The reference is `get` of a plain client
 * and `JSON.parse`.
 */
export const scene: Scene = async ({ library, loadRedis, settings }) => {
  const server = await startRedis()
  const { host, port } = server
  const client = new Redis({ host, port })
  const redis = await loadRedis()
  const l2 = redis({ url: `redis://${host}:${port}`, timeout: '5s' })
  const cache = library.createCache({ name: 'bench', ttl: '1h', l1: false, l2 })
  const copies = library.createCache({ name: 'copies', ttl: '1h', l1: { ttl: 1 }, l2 })
  try {
    await cache.ready({ timeout: '10s', strict: true })
    await copies.ready({ timeout: '10s', strict: true })
    const copied = copies.cached(async (id: string) => kilobyteValue(Number(id.slice(1))), {
      name: 'partner',
    })
    const partner = cache.cached(async (id: string) => kilobyteValue(Number(id.slice(1))), {
      name: 'partner',
    })
    const ids = Array.from({ length: KEYS }, (_, id) => `k${id}`)
    for (const [id, key] of ids.entries()) {
      await partner.set([key], kilobyteValue(id))
      await copied.set([key], kilobyteValue(id))
      await client.set(`plain:${key}`, JSON.stringify(kilobyteValue(id)))
    }
    let next = 0
    const idsInTurn = (): string[] => {
      next = (next + AT_ONCE) % KEYS
      return ids.slice(next, next + AT_ONCE)
    }
    const plainGet = async (id: string): Promise<unknown> =>
      JSON.parse((await client.get(`plain:${id}`)) as string)
    const timings = await timeInRounds(
      [
        {
          name: 'plain',
          async run(count) {
            let last: unknown
            for (let i = 0; i < count; i++) last = await plainGet(ids[next++ % KEYS] as string)
            return last
          },
        },
        {
          name: 'cached',
          async run(count) {
            let last: unknown
            for (let i = 0; i < count; i++) last = await partner(ids[next++ % KEYS] as string)
            return last
          },
        },
        {
          name: 'plain-100',
          async run(count) {
            let last: unknown
            for (let i = 0; i < count; i++) last = await Promise.all(idsInTurn().map(plainGet))
            return last
          },
        },
        {
          name: 'cached-100',
          async run(count) {
            let last: unknown
            for (let i = 0; i < count; i++) {
              last = await Promise.all(idsInTurn().map((id) => partner(id)))
            }
            return last
          },
        },
        {
          // A thousand in turn: none is asked for again within its millisecond.
          name: 'compared-100',
          async run(count) {
            let last: unknown
            for (let i = 0; i < count; i++) {
              last = await Promise.all(idsInTurn().map((id) => copied(id)))
            }
            return last
          },
        },
      ],
      { ...settings, sliceMs: SLICE_MS },
    )
    const before = await scriptCalls(client)
    await Promise.all(idsInTurn().map((id) => partner(id)))
    const scripts = (await scriptCalls(client)) - before
    const { hits, misses } = cache.stats()
    if (misses > 0 || hits.l2 === 0) throw new Error('not all was answered by L2')
    if (copies.stats().misses > 0) throw new Error('not all copies were good')
    return [
      {
        id: 'redis-hit',
        samples: ratios(timings, 'cached', 'plain'),
        parts: times(timings, 'cached', 'plain', 1),
      },
      {
        id: 'redis-hit-100',
        samples: ratios(timings, 'cached-100', 'plain-100'),
        parts: { ...times(timings, 'cached-100', 'plain-100', AT_ONCE), scripts },
      },
      {
        id: 'redis-compare-100',
        samples: ratios(timings, 'compared-100', 'plain-100'),
        parts: times(timings, 'compared-100', 'plain-100', AT_ONCE),
      },
    ]
  } finally {
    await cache.close()
    await copies.close()
    client.disconnect()
    await server.stop()
  }
}

function times(timings: Timings, subject: string, reference: string, each: number) {
  const us = (name: string) => (timings[name] ?? []).map((ns) => ns / each / 1000)
  return {
    us: median(us(subject)),
    p99Us: quantile(us(subject), 0.99),
    referenceUs: median(us(reference)),
  }
}
