import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/index.ts'
import { redis } from '../../../src/redis.ts'
import { startCluster } from '../servers/cluster.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'
import { openTransport, tags } from './open-transport.ts'

/** As in the guide. */
const RULES =
  '+client|setname +info +ping +eval +evalsha +script|load +del +exists +get +hdel +hget +hincrby +hmget +hset +mget +persist +pexpire +pttl +publish +set +subscribe +time +unlink +asking +cluster|info +cluster|slots +spublish +ssubscribe +sunsubscribe'.split(
    ' ',
  )

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function clusterOf(masters: number) {
  const cluster = await startCluster({ masters, nodeTimeoutMs: 30_000 })
  ends.push(() => cluster.stop())
  return cluster
}

describe('a user of a cluster', () => {
  it('is served by the rules of the guide, and without messages where one node allows none', async () => {
    const { nodes } = await clusterOf(3)
    const allow = (node: RedisProcess, ...rules: string[]) =>
      node.cli('ACL', 'SETUSER', 'cache', 'reset', 'on', '>pw', '~rc:*', ...RULES, ...rules)
    const [first, ...others] = nodes as [RedisProcess, ...RedisProcess[]]
    await allow(first, 'resetchannels')
    for (const node of others) await allow(node, '&rc:*')
    const l2 = redis({ cluster: nodes.map(({ port }) => `127.0.0.1:${port}`), ...LOGIN })
    const cache = createCache({ name: 'shop', ttl: '1m', l2 })
    ends.push(() => cache.close())
    const { l2: health } = await until('it cannot listen', () => {
      const health = cache.health()
      return health.l2.state === 'ready' && health.l2.coherence === 'ttl-only' && health
    })
    expect(health.lastError).toMatch(/NOPERM.*grant the user &rc:\*/)
    expect(await cache.set('k', 1)).toEqual({ durable: true })
    await allow(first, '&rc:*')
    await until('it listens', () => cache.health().l2.coherence === 'bus', { withinMs: 12_000 })
    expect(cache.health().l2.state).toBe('ready')
  }, 30_000)
})

const LOGIN = { username: 'cache', password: 'pw' }

describe('a node of a cluster that is silent for a moment', () => {
  it('keeps its connection, however short the deadline is', async () => {
    const { nodes } = await clusterOf(1)
    const opened = openTransport(nodes, { timeoutMs: 20 })
    ends.push(() => opened.transport.close())
    await opened.untilReady()
    const tag = tags[0] as string
    const before = await opened.ask(tag, 'CLIENT', 'ID')
    nodes[0]?.stopSignal()
    const reply = opened.ask(tag, 'CLIENT', 'ID')
    await sleep(90)
    nodes[0]?.continueSignal()
    expect(await reply).toBe(before)
  })
})
