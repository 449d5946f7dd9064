import { Cluster as ClusterClient } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import { percentile } from '../servers/load.ts'
import { freePort, releasePort } from '../servers/ports.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'
import {
  isError,
  type Opened,
  openTransport,
  space,
  tags,
  untilAllServe,
} from './open-transport.ts'
import { replicaOf } from './operate.ts'

describe('a cluster whose masters have replicas', () => {
  let cluster: Cluster
  let opened: Opened
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicas: 1, nodeTimeoutMs: 1000 })
    opened = openTransport(cluster.nodes)
    await opened.untilReady()
    await untilAllServe(opened)
    opened.transport.subscribe(space.partitions.map((partition) => space.channel(partition, true)))
    await until('it is subscribed', () => opened.subscribed.count === 1)
  })
  afterAll(async () => {
    await opened?.transport.close()
    await cluster?.stop()
  })

  const addressOf = (node: RedisProcess) => `127.0.0.1:${node.port}`

  /** When another master says that somebody else has the slots of this one. */
  async function promotionOf(lost: RedisProcess, tag: string): Promise<number> {
    const witness = cluster.nodes.find((node) => node !== lost && node.running) as RedisProcess
    const slot = await witness.cli<number>('CLUSTER', 'KEYSLOT', tag)
    await until(
      'a replica is promoted',
      async () => {
        const ranges = await witness.cli<[number, number, [string, number]][]>('CLUSTER', 'SLOTS')
        const range = ranges.find(([from, to]) => from <= slot && slot <= to)
        return range && range[2][1] !== lost.port
      },
      { withinMs: 15_000, everyMs: 2 },
    )
    return performance.now()
  }

  /** Until the replica is promoted the cluster serves nothing, which is told; then it goes on. */
  function expectSame(began: number): void {
    const told = opened.states.slice(began)
    const lineages = told.filter(({ state }) => state === 'ready').map(({ lineage }) => lineage)
    expect(new Set(lineages)).toEqual(new Set(['same']))
    expect(told.at(-1)?.state).toBe('ready')
    for (const { state, error } of told) {
      if (state === 'down') expect(error?.message).toContain('CLUSTERDOWN')
    }
  }

  async function untilServed(tag: string): Promise<number> {
    await until(
      'the tag is served',
      async () => !isError(await opened.ask(tag, 'GET', `rc:${tag}:probe`)),
      {
        withinMs: 15_000,
        everyMs: 2,
      },
    )
    return performance.now()
  }

  /** How long 99 of 100 answers took at most, errors included, while `during` goes on. */
  async function mostOf(some: readonly string[], during: Promise<unknown>): Promise<number> {
    let isOver = false
    const times: number[] = []
    const over = during.finally(() => {
      isOver = true
    })
    while (!isOver) {
      for (const tag of some) {
        const began = performance.now()
        await opened.ask(tag, 'GET', `rc:${tag}:probe`)
        times.push(performance.now() - began)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    await over
    return percentile(times, 0.99)
  }

  it('follows a replica that is promoted after its master was killed', async () => {
    const [tag] = tags as [string]
    const lost = await cluster.ownerOf(tag)
    const began = opened.states.length
    const subscribed = opened.subscribed.count
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
    const client = new ClusterClient(nodes)
    client.on('error', () => {})
    const brought = openTransport([], { target: { kind: 'client', client } })
    await brought.untilReady()
    await untilAllServe(brought)
    await lost.kill()
    const [promoted, served] = await Promise.all([promotionOf(lost, tag), untilServed(tag)])
    expect(served - promoted).toBeLessThan(400)
    await untilAllServe(opened)
    expectSame(began)
    await until('it is subscribed anew', () => opened.subscribed.count > subscribed)
    const channel = space.channel(space.partitions[0] as number, true)
    await opened.ask(tag, 'SPUBLISH', channel, 'hello')
    await until('the message is there', () => opened.messages.length === 1)
    await untilAllServe(brought)
    expect(brought.states.map(({ lineage }) => lineage)).not.toContain('other')
    await brought.transport.close()
    client.disconnect()
    await lost.restart()
    await cluster.settle()
  })

  it('follows one whose master hangs, and keeps the others fast meanwhile', async () => {
    const tag = tags.at(-1) as string
    const lost = await cluster.ownerOf(tag)
    await replicaOf(cluster, lost)
    const others = tags.filter((one) => opened.transport.nodeOf(one) !== addressOf(lost))
    const began = opened.states.length
    lost.stopSignal()
    const replies: number[] = []
    for (let round = 0; round < 8; round++) {
      const asked = performance.now()
      expect(isError(await opened.ask(tag, 'PING'))).toBe(true)
      replies.push(performance.now() - asked)
    }
    // The connection is given up after three deadlines; after that nobody waits.
    expect(replies.slice(1).every((ms) => ms < 60)).toBe(true)
    const promotion = promotionOf(lost, tag)
    const [promoted, served, most] = await Promise.all([
      promotion,
      untilServed(tag),
      mostOf(others.slice(0, 5), promotion),
    ])
    expect(served - promoted).toBeLessThan(400)
    // Servers write their view of the cluster to disk when one is promoted: the rest of them waits.
    expect(most).toBeLessThan(40)
    lost.continueSignal()
    await cluster.settle()
    await untilAllServe(opened)
    expectSame(began)
    expect(opened.transport.nodeOf(tag)).not.toBe(addressOf(lost))
  })

  it('follows a planned failover while it works', async () => {
    // Its nodes have not voted lately on this master, which would make them refuse to do so again.
    const masters = cluster.masters.map(addressOf)
    const tag = tags.find((one) => masters.includes(opened.transport.nodeOf(one))) as string
    const old = await cluster.ownerOf(tag)
    const replica = await replicaOf(cluster, old)
    const began = opened.states.length
    let orderedAt = Number.NEGATIVE_INFINITY
    const follows = async () => {
      const { role } = await replica.info('replication')
      // Masters that have voted lately refuse, and the order is forgotten after five seconds.
      if (role === 'slave' && performance.now() - orderedAt > 5500) {
        orderedAt = performance.now()
        await replica.cli('CLUSTER', 'FAILOVER')
      }
      await opened.ask(tag, 'SET', `rc:${tag}:probe`, 'x')
      return opened.transport.nodeOf(tag) === addressOf(replica)
    }
    await until('the replica is asked', follows, { withinMs: 20_000 })
    await untilAllServe(opened)
    expectSame(began)
  })
})

describe.each([
  ['with', true],
  ['without', false],
])('a cluster without replicas, %s full coverage', (_, fullCoverage) => {
  let cluster: Cluster
  let opened: Opened
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, nodeTimeoutMs: 1000, fullCoverage })
    opened = openTransport(cluster.nodes)
    await opened.untilReady()
    await untilAllServe(opened)
  })
  afterAll(async () => {
    await opened?.transport.close()
    await cluster?.stop()
  })

  it('loses only what it must while a node is dead, and no time', async () => {
    const [tag] = tags as [string]
    const lost = await cluster.ownerOf(tag)
    const other = tags.find((one) => opened.transport.nodeOf(one) !== opened.transport.nodeOf(tag))
    await lost.kill()
    const witness = cluster.nodes.find((node) => node.running) as RedisProcess
    await until('the others know', async () =>
      (await witness.cli<string>('CLUSTER', 'NODES')).includes(' master,fail '),
    )
    if (fullCoverage) {
      await until('all slots are down', async () =>
        (await witness.cli<string>('CLUSTER', 'INFO')).includes('cluster_state:fail'),
      )
    }
    const times: number[] = []
    for (let round = 0; round < 50; round++) {
      const began = performance.now()
      expect(await opened.ask(tag, 'GET', `rc:${tag}:probe`)).toMatchObject({
        code: 'ERR_L2_UNAVAILABLE',
      })
      times.push(performance.now() - began)
      const reply = await opened.ask(other as string, 'GET', `rc:${other}:probe`)
      if (fullCoverage) expect(String(reply)).toContain('CLUSTERDOWN')
      else expect(reply).toEqual(Buffer.from('x'))
    }
    expect(times.toSorted((a, b) => a - b)[25]).toBeLessThan(1)
    const { state, error } = opened.states.at(-1) ?? {}
    expect(state).toBe(fullCoverage ? 'down' : 'ready')
    if (fullCoverage) expect(error?.message).toMatch(/CLUSTERDOWN.*of its 16384 slots.*bring/)
  })

  it('starts with the nodes that are there, if they serve', async () => {
    const late = openTransport(cluster.nodes)
    await until('it says how it is', () => late.states.length > 0)
    expect(late.states).toMatchObject(
      fullCoverage
        ? [{ state: 'down', error: { message: expect.stringContaining('CLUSTERDOWN') } }]
        : [{ state: 'ready', source: 'cluster', lineage: 'first' }],
    )
    await late.transport.close()
  })

  it('uses a node that came back with nothing as it is', async () => {
    const lost = cluster.nodes.find((node) => !node.running) as RedisProcess
    const began = opened.states.length
    await lost.start()
    await cluster.settle()
    await untilAllServe(opened)
    // Without sequences its parts begin new epochs by themselves.
    const told = opened.states.slice(began)
    expect(told.map(({ lineage }) => lineage)).not.toContain('other')
    expect(told.at(-1)?.state).toBe('ready')
  })

  it('finds a node that came back at another port', async () => {
    const [tag] = tags as [string]
    const moved = await cluster.ownerOf(tag)
    const port = await freePort()
    await moved.kill()
    await moved.start({ args: ['--port', String(port)] })
    await until('it is found', () => opened.transport.nodeOf(tag) === `127.0.0.1:${port}`)
    await untilAllServe(opened)
    expect(opened.states.at(-1)?.state).toBe('ready')
    expect(opened.states.findLast(({ lineage }) => lineage)?.lineage).toBe('same')
    releasePort(port)
  })
})
