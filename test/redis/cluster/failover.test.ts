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
    expect(served - promoted).toBeLessThan(200)
    expect(opened.states.slice(began).map(({ state, lineage }) => [state, lineage])).toEqual([
      ['ready', 'same'],
    ])
    await untilAllServe(opened)
    await until('it is subscribed anew', () => opened.subscribed.count > subscribed)
    const channel = space.channel(space.partitions[0] as number, true)
    await opened.ask(tag, 'SPUBLISH', channel, 'hello')
    await until('the message is there', () => opened.messages.length === 1)
    await untilAllServe(brought)
    expect(brought.states.map(({ lineage }) => lineage)).toEqual(['first', 'same'])
    await brought.transport.close()
    client.disconnect()
    await lost.restart()
    await cluster.settle()
  })

  it('follows one whose master hangs, and keeps the others fast meanwhile', async () => {
    const tag = tags.at(-1) as string
    const lost = await cluster.ownerOf(tag)
    await until(
      'it has a replica',
      async () => (await lost.info('replication')).connected_slaves === '1',
    )
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
    expect(served - promoted).toBeLessThan(200)
    // Servers write their view of the cluster to disk when one is promoted: the rest of them waits.
    expect(most).toBeLessThan(40)
    expect(opened.states.slice(began).map(({ lineage }) => lineage)).toEqual(['same'])
    lost.continueSignal()
    await cluster.settle()
    await untilAllServe(opened)
    expect(opened.transport.nodeOf(tag)).not.toBe(addressOf(lost))
  })

  it('follows a planned failover while it works', async () => {
    // Its nodes have not voted lately on this master, which would make them refuse to do so again.
    const masters = cluster.masters.map(addressOf)
    const tag = tags.find((one) => masters.includes(opened.transport.nodeOf(one))) as string
    const old = await cluster.ownerOf(tag)
    await until(
      'it has a replica',
      async () => (await old.info('replication')).connected_slaves === '1',
    )
    const port = (await old.cli<string>('INFO', 'replication')).match(/slave0:.*port=(\d+)/)?.[1]
    const replica = cluster.nodes.find((node) => String(node.port) === port) as RedisProcess
    const began = opened.states.length
    await replica.cli('CLUSTER', 'FAILOVER')
    await until('the replica is asked', async () => {
      await opened.ask(tag, 'SET', `rc:${tag}:probe`, 'x')
      return opened.transport.nodeOf(tag) === addressOf(replica)
    })
    await untilAllServe(opened)
    expect(opened.states.slice(began).map(({ lineage }) => lineage)).toEqual(['same'])
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
    expect(opened.states.at(-1)?.state).toBe('ready')
  })

  it('starts with the nodes that are there', async () => {
    const late = openTransport(cluster.nodes)
    await late.untilReady()
    expect(late.states).toEqual([{ state: 'ready', source: 'cluster', lineage: 'first' }])
    await late.transport.close()
  })

  it('tells that a node came back with nothing of what it had', async () => {
    const lost = cluster.nodes.find((node) => !node.running) as RedisProcess
    const began = opened.states.length
    await lost.start()
    await cluster.settle()
    await untilAllServe(opened)
    expect(opened.states.slice(began).map(({ state, lineage }) => [state, lineage])).toEqual([
      ['ready', 'other'],
    ])
  })

  it('tells so too when it came back from a snapshot', async () => {
    const [lost] = cluster.nodes as [RedisProcess]
    await lost.cli('SAVE')
    const began = opened.states.length
    await lost.restart()
    await cluster.settle()
    await untilAllServe(opened)
    expect(opened.states.slice(began).map(({ lineage }) => lineage)).toEqual(['other'])
  })

  it('finds a node that came back at another port', async () => {
    const [tag] = tags as [string]
    const moved = await cluster.ownerOf(tag)
    const port = await freePort()
    await moved.kill()
    await moved.start({ args: ['--port', String(port)] })
    await until('it is found', () => opened.transport.nodeOf(tag) === `127.0.0.1:${port}`)
    await untilAllServe(opened)
    expect(opened.states.at(-1)).toMatchObject({ state: 'ready', lineage: 'other' })
    releasePort(port)
  })
})
