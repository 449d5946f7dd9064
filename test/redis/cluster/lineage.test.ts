import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slotOf } from '../../../src/adapters/redis/ioredis/cluster-slot.ts'
import { type Cluster, startCluster } from '../servers/cluster.ts'
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
import { type Joined, joinNode, moveSlot, replicaOf } from './operate.ts'

describe('whether what a cluster holds is of another past', () => {
  let cluster: Cluster
  let opened: Opened
  const joined: Joined[] = []
  const ports: number[] = []
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, nodeTimeoutMs: 1000, fullCoverage: false })
    opened = openTransport(cluster.nodes)
    await opened.untilReady()
    await untilAllServe(opened)
  })
  afterAll(async () => {
    await opened?.transport.close()
    await Promise.all(joined.map((one) => one.stop()))
    await cluster?.stop()
    for (const port of ports) releasePort(port)
  })

  async function lineagesOf(work: () => Promise<unknown>): Promise<unknown[]> {
    const began = opened.states.length
    await work()
    await untilAllServe(opened)
    // Without a lineage only more is known of the same connections.
    const told = opened.states.slice(began).filter(({ state }) => state === 'ready')
    return told.flatMap(({ lineage }) => lineage ?? [])
  }

  async function join(): Promise<RedisProcess> {
    const one = await joinNode(cluster)
    joined.push(one)
    return one.node
  }

  async function give(tag: string, to: RedisProcess): Promise<void> {
    const from = await cluster.ownerOf(tag)
    await moveSlot(slotOf(tag), from, to, [...cluster.nodes, ...joined.map(({ node }) => node)])
    const seen = () => opened.transport.nodeOf(tag) === `127.0.0.1:${to.port}`
    await until(
      'it is asked',
      async () => !isError(await opened.ask(tag, 'GET', `rc:${tag}:probe`)) && seen(),
    )
  }

  it('is not so of a node that joins and is given slots, under load and without an error', async () => {
    const node = await join()
    const tag = space.hashTag(7)
    let isOver = false
    const errors: unknown[] = []
    const load = async () => {
      for (let n = 0; !isOver; n++) {
        const reply = await opened.ask(tag, 'SET', `rc:${tag}:${n % 30}`, n)
        if (isError(reply)) errors.push(reply)
      }
    }
    const lineages = await lineagesOf(async () => {
      const lanes = [load(), load()]
      await give(tag, node).finally(() => {
        isOver = true
      })
      await Promise.all(lanes)
    })
    expect(errors).toEqual([])
    expect(lineages).toEqual(['same'])
  })

  it('is so of one that came back from a snapshot, at another port too', async () => {
    const tag = space.hashTag(9)
    const owner = await cluster.ownerOf(tag)
    await owner.cli('SAVE')
    expect(await lineagesOf(() => owner.restart())).toEqual(['other'])
    const port = await freePort()
    ports.push(port)
    const lineages = await lineagesOf(async () => {
      await owner.restart({ args: ['--port', String(port)] })
      await until('it is found', () => opened.transport.nodeOf(tag) === `127.0.0.1:${port}`)
    })
    expect(lineages).toEqual(['other'])
  })

  it('is not so of one that came back with nothing', async () => {
    const tag = space.hashTag(10)
    const owner = await cluster.ownerOf(tag)
    await owner.cli('FLUSHALL')
    await owner.cli('SAVE')
    expect(await lineagesOf(() => owner.restart())).toEqual(['same'])
  })

  it('is not so of a connection that was cut', async () => {
    const [node] = cluster.nodes as [RedisProcess]
    const lineages = await lineagesOf(async () => {
      await node.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      const began = opened.states.length
      await until('it is back', () => opened.states.length > began)
    })
    expect(lineages).toEqual(['same'])
  })
})

describe('a replica that is promoted', () => {
  const broken = new Set<RedisProcess>()
  let cluster: Cluster
  let opened: Opened
  beforeAll(async () => {
    cluster = await startCluster({
      masters: 3,
      replicas: 1,
      nodeTimeoutMs: 1000,
      fullCoverage: false,
    })
    opened = openTransport(cluster.nodes)
    await opened.untilReady()
    await untilAllServe(opened)
  })
  afterAll(async () => {
    await opened?.transport.close()
    await cluster?.stop()
  })

  it('is of another past if it was started from a snapshot when its master was gone', async () => {
    const tag = space.hashTag(0)
    const master = await cluster.ownerOf(tag)
    broken.add(master)
    const replica = await replicaOf(cluster, master)
    await replica.cli('SAVE')
    await replica.kill()
    const began = opened.states.length
    await opened.ask(tag, 'SET', `rc:${tag}:later`, 'x')
    await master.kill()
    // Long enough for its start to be told from the loss by whole seconds.
    await until('the loss is noticed', async () => isError(await opened.ask(tag, 'PING')))
    const lostAt = performance.now()
    await until('some time is over', () => performance.now() - lostAt > 1500)
    await replica.start()
    await until('it takes over', () => replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER'))
    await until('it is asked', () => opened.transport.nodeOf(tag) === `127.0.0.1:${replica.port}`)
    await untilAllServe(opened)
    expect(opened.states.slice(began).map(({ lineage }) => lineage)).toEqual(['other'])
    await master.start()
    await cluster.settle()
  })

  it('goes on from its master, which is not believed when it wakes up', async () => {
    // Of one that had its first replica just now the id is not known yet.
    const master = cluster.masters.find((one) => !broken.has(one)) as RedisProcess
    const owners = await Promise.all(tags.map((one) => cluster.ownerOf(one)))
    const tag = tags[owners.indexOf(master)] as string
    const replica = await replicaOf(cluster, master)
    const began = opened.states.length
    master.stopSignal()
    await replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER')
    const heir = `127.0.0.1:${replica.port}`
    await until('it is asked', async () => {
      await opened.ask(tag, 'PING')
      return opened.transport.nodeOf(tag) === heir
    })
    await untilAllServe(opened)
    master.continueSignal()
    const asked = new Set<string>()
    await until('the old master has noticed', async () => {
      asked.add(opened.transport.nodeOf(tag))
      return (await master.info('replication')).role === 'slave'
    })
    expect([...asked]).toEqual([heir])
    expect(opened.states.slice(began).map(({ lineage }) => lineage)).toEqual(['same'])
  })
})
