import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/index.ts'
import { redis } from '../../../src/redis.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'

describe('what a read costs on one server', () => {
  let server: RedisProcess
  let cache: Cache
  beforeAll(async () => {
    server = await startServer()
    // Without a bus there are no heartbeats between the commands that are counted.
    const l2 = redis({ url: server.url, coherence: 'ttl-only' })
    cache = createCache({ name: 'trips', l2, l1: false, ttl: '5m' })
    await cache.ready({ timeout: '5s', strict: true })
  })
  afterAll(async () => {
    await cache?.close()
    await server?.stop()
  })

  /** Scripts, by how they were called: what they call themselves is counted by the server, too. */
  async function commands(): Promise<Record<string, number>> {
    const stats = await server.info('commandstats')
    const counts = Object.entries(stats).map(([name, text]) => [
      name.replace('cmdstat_', ''),
      Number(/calls=(\d+)/.exec(text)?.[1]),
    ])
    return Object.fromEntries(counts.filter(([name]) => /^(eval|evalsha)$/.test(String(name))))
  }

  async function counted(work: () => Promise<unknown>): Promise<Record<string, number>> {
    await server.cli('CONFIG', 'RESETSTAT')
    await work()
    return commands()
  }

  it('is one script that reads and leases and one that stores, for a load', async () => {
    let calls = 0
    const load = async () => {
      await cache.getOrSet('cold', async () => ++calls)
      await until('it is stored', async () => ((await commands()).evalsha ?? 0) >= 2)
    }
    expect(await counted(load)).toEqual({ evalsha: 2 })
    expect(calls).toBe(1)
  })

  it('is one script for a hit', async () => {
    const hit = () => cache.getOrSet('cold', () => Promise.reject(new Error('not needed')))
    expect(await counted(hit)).toEqual({ evalsha: 1 })
  })

  it('is a few scripts for a hundred hits at once', async () => {
    const keys = Array.from({ length: 100 }, (_, at) => `warm-${at}`)
    const readAll = () => Promise.all(keys.map((key) => cache.getOrSet(key, async () => key)))
    await readAll()
    await until('all are stored', async () => Number(await server.cli('DBSIZE')) > 100)
    const sent = await counted(async () => expect(await readAll()).toEqual(keys))
    process.stdout.write(`100 hits at once: ${JSON.stringify(sent)}\n`)
    expect(sent.evalsha).toBeLessThanOrEqual(4)
  })
})
