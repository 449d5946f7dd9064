import { Cluster as ClusterClient } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/index.ts'
import { type RedisOptions, redis } from '../../../src/redis.ts'
import { makeCertificates } from '../servers/certificates.ts'
import { type ClusterOptions, startCluster } from '../servers/cluster.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'

describe('health() of a cache on a cluster', () => {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  async function clusterOf(options: ClusterOptions) {
    const cluster = await startCluster({ nodeTimeoutMs: 1000, ...options })
    ends.push(() => cluster.stop())
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
    return { cluster, nodes }
  }

  async function open(options: RedisOptions) {
    const cache = createCache({ name: 'health', l2: redis(options), ttl: '1m', l1: false })
    ends.push(() => cache.close())
    await cache.ready({ timeout: '10s', strict: true })
    return cache
  }

  it('is suspect while most slots are out of reach, and ready again without a new start', async () => {
    const { cluster, nodes } = await clusterOf({ masters: 3, nodeTimeoutMs: 30_000 })
    const cache = await open({ cluster: nodes })
    const [, second, third] = cluster.nodes as [RedisProcess, RedisProcess, RedisProcess]
    for (const node of [second, third]) node.stopSignal()
    await until('it is suspect', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => cache.get(`k${n}`)))
      return (
        cache.health().l2.state === 'suspect' || cache.health().l2.lastError?.includes('masters')
      )
    })
    expect(cache.health().l2.lastError).toMatch(/^Only 1 of 3 masters .* check/)
    for (const node of [second, third]) node.continueSignal()
    await until('it is ready again', () => cache.health().l2.state === 'ready')
  })

  it('goes on through a Cluster of yours while one of its nodes hangs', async () => {
    const { cluster, nodes } = await clusterOf({ masters: 3, nodeTimeoutMs: 30_000 })
    const client = new ClusterClient(nodes, {
      enableOfflineQueue: false,
      redisOptions: {
        commandTimeout: 100,
        socketTimeout: 300,
        autoResendUnfulfilledCommands: false,
      },
    })
    client.on('error', () => {})
    ends.push(() => client.disconnect())
    await until('it is connected', () => client.status === 'ready')
    const cache = await open({ client })
    const [hung] = cluster.nodes as [RedisProcess]
    const keys = Array.from({ length: 60 }, (_, n) => `k${n}`)
    const readAll = () => Promise.all(keys.map((key) => cache.getOrSet(key, async () => key)))
    await readAll()
    hung.stopSignal()
    let slow = 0
    for (let round = 0; round < 30; round++) {
      const began = performance.now()
      expect(await readAll()).toEqual(keys)
      if (performance.now() - began > 40) slow++
    }
    // Until the node is known to hang, or the breaker is open, a read pays its deadline.
    expect(slow).toBeLessThanOrEqual(12)
    expect(client.status).toBe('ready')
    hung.continueSignal()
    await until('all of it serves again', async () => {
      await readAll()
      return cache.health().l2.state === 'ready'
    })
  })

  it('is ready over TLS, with a bus, and names a certificate that is not trusted', async () => {
    const { good, otherCa } = await makeCertificates()
    const { nodes } = await clusterOf({ masters: 3, tls: good })
    const { readFileSync } = await import('node:fs')
    const one = await open({ cluster: nodes, tls: { ca: readFileSync(good.ca) } })
    const other = await open({ cluster: nodes, tls: { ca: readFileSync(good.ca) }, connections: 2 })
    await one.set('k', 1)
    expect(await other.get('k')).toBe(1)
    expect(one.health().l2).toMatchObject({ state: 'ready', source: 'cluster', coherence: 'bus' })
    const l2 = redis({ cluster: nodes, tls: { ca: readFileSync(otherCa) } })
    const stranger = createCache({ name: 'stranger', l2 })
    ends.push(() => stranger.close())
    await until('it is down', () => stranger.health().l2.state === 'down')
    expect(stranger.health().l2.lastError).toMatch(/certificate of Redis is not trusted.*tls\.ca/)
  })
})
