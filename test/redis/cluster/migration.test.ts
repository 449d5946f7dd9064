import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slotOf } from '../../../src/adapters/redis/ioredis/cluster-slot.ts'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'
import { isError, type Opened, openTransport, space } from './open-transport.ts'
import { moveSlot } from './operate.ts'

describe('slots that move under load', () => {
  let cluster: Cluster
  let opened: Opened
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3 })
    opened = openTransport(cluster.nodes)
    await opened.untilReady()
  })
  afterAll(async () => {
    await opened?.transport.close()
    await cluster?.stop()
  })

  const move = (slot: number, from: RedisProcess, to: RedisProcess) =>
    moveSlot(slot, from, to, cluster.nodes)

  it('are followed without an error or a lost write, there and back', async () => {
    const tag = space.hashTag(3)
    const from = await cluster.ownerOf(tag)
    const to = cluster.nodes.find((node) => node !== from) as RedisProcess
    let isOver = false
    let sent = 0
    const errors: Error[] = []
    const load = async (lane: number) => {
      for (let n = 1; !isOver; n++) {
        const key = `rc:${tag}:${lane}:${n % 40}`
        const commands = [
          ['SET', key, n],
          ['GET', key],
        ]
        const node = opened.transport.nodeOf(tag)
        const replies = await opened.transport.send(node, commands)
        sent++
        errors.push(...replies.filter(isError))
        if (errors.length === 0) expect(String(replies[1])).toBe(String(n))
      }
    }
    const lanes = [0, 1, 2, 3].map(load)
    const began = opened.states.length
    await until('it is busy', () => sent > 50)
    await move(slotOf(tag), from, to)
    await until('the new node is known', () => opened.transport.nodeOf(tag).endsWith(`:${to.port}`))
    await move(slotOf(tag), to, from)
    await until('the old node is known', () =>
      opened.transport.nodeOf(tag).endsWith(`:${from.port}`),
    )
    isOver = true
    await Promise.all(lanes)
    expect(errors).toEqual([])
    // The data has come along: nobody has to begin anew.
    expect(opened.states).toHaveLength(began)
  })

  it('take sharded subscriptions along', async () => {
    const tag = space.hashTag(4)
    const channel = space.channel(4, true)
    const channels = space.partitions.map((partition) => space.channel(partition, true))
    opened.transport.subscribe(channels)
    await until('it is subscribed', () => opened.subscribed.count === 1)
    const from = await cluster.ownerOf(tag)
    const to = cluster.nodes.find((node) => node !== from) as RedisProcess
    await move(slotOf(tag), from, to)
    await until('it is subscribed anew', () => opened.subscribed.count > 1, { withinMs: 2000 })
    expect(await to.cli('PUBSUB', 'SHARDNUMSUB', channel)).toEqual([channel, 1])
    await opened.ask(tag, 'SPUBLISH', channel, 'hello')
    await until('the message is there', () => opened.messages.length === 1)
    const other = space.channel(5, true)
    await opened.ask(space.hashTag(5), 'SPUBLISH', other, 'as before')
    await until('other channels are heard as before', () => opened.messages.length === 2)
  })

  it('give commands with several keys an error only while their keys are apart', async () => {
    const tag = space.hashTag(6)
    const from = await cluster.ownerOf(tag)
    const to = cluster.nodes.find((node) => node !== from) as RedisProcess
    const [a, b] = [`rc:${tag}:a`, `rc:${tag}:b`]
    await opened.ask(tag, 'MSET', a, '1', b, '2')
    const slot = slotOf(tag)
    const [fromId, toId] = [
      await from.cli<string>('CLUSTER', 'MYID'),
      await to.cli<string>('CLUSTER', 'MYID'),
    ]
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
    await from.cli('MIGRATE', to.host, to.port, a, 0, 1000)
    const before = performance.now()
    expect(await opened.ask(tag, 'MGET', a, b)).toMatchObject({
      message: expect.stringContaining('TRYAGAIN'),
    })
    expect(performance.now() - before).toBeLessThan(200)
    // It is tried again within the deadline: what comes together in time is not noticed.
    const late = opened.ask(tag, 'MGET', a, b)
    await from.cli('MIGRATE', to.host, to.port, b, 0, 1000)
    expect(await late).toEqual([Buffer.from('1'), Buffer.from('2')])
    for (const node of [to, from]) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
    expect(await opened.ask(tag, 'MGET', a, b)).toEqual([Buffer.from('1'), Buffer.from('2')])
  })
})
