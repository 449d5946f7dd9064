import { Cluster as Cluster6 } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis-5'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slotOf } from '../../../src/adapters/redis/ioredis/cluster-slot.ts'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import { until } from '../servers/until.ts'
import { isError, type Opened, openTransport, roundTrips, space, tags } from './open-transport.ts'

describe('a transport to three masters', () => {
  let cluster: Cluster
  let opened: Opened
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3 })
    opened = openTransport(cluster.nodes.slice(0, 1))
    await opened.untilReady()
  })
  afterAll(async () => {
    await opened?.transport.close()
    await cluster?.stop()
  })

  async function connectionsOf(name: string): Promise<number[]> {
    const lists = await Promise.all(cluster.nodes.map((node) => node.cli<string>('CLIENT', 'LIST')))
    return lists.map(
      (list) => list.split('\n').filter((line) => line.includes(`name=${name} `)).length,
    )
  }

  it('finds all nodes from one seed', () => {
    expect(opened.states).toEqual([{ state: 'ready', source: 'cluster', lineage: 'first' }])
    expect(opened.transport.bus).toBe('sharded')
  })

  it('counts slots as Redis does', async () => {
    const seed = 20
    const random = seededRandom(seed)
    const pieces = ['{', '}', 'a', 'é', '/', '7']
    for (let round = 0; round < 200; round++) {
      const key = Array.from({ length: 8 }, () => pieces[Math.floor(random() * 6)]).join('')
      const slot = await cluster.nodes[0]?.cli('CLUSTER', 'KEYSLOT', key)
      expect(slotOf(key), `seed ${seed}: ${key}`).toBe(slot)
    }
  })

  it('knows the node of each of the 65 hash tags', async () => {
    const owners = await Promise.all(tags.map((tag) => cluster.ownerOf(tag)))
    expect(tags).toHaveLength(65)
    expect(tags.map((tag) => opened.transport.nodeOf(tag))).toEqual(
      owners.map((owner) => `127.0.0.1:${owner.port}`),
    )
    expect(await roundTrips(opened)).toEqual([])
  })

  it('sends what belongs to one node in one write, over one connection', async () => {
    const node = opened.transport.nodeOf(tags[0] as string)
    const mine = tags.filter((tag) => opened.transport.nodeOf(tag) === node)
    const owner = await cluster.ownerOf(tags[0] as string)
    const before = Number((await owner.info('stats')).total_reads_processed)
    const commands = mine.flatMap((tag, at) => [
      ['SET', `rc:${tag}:n`, at],
      ['GET', `rc:${tag}:n`],
    ])
    const replies = await opened.transport.send(node, commands)
    const after = Number((await owner.info('stats')).total_reads_processed)
    const expected = mine.flatMap((_, at) => [Buffer.from('OK'), Buffer.from(String(at))])
    expect(replies).toEqual(expected)
    // One read for the pipeline and one for the second question.
    expect(after - before).toBe(2)
    expect(await connectionsOf('resilient-cache')).toEqual([1, 1, 1])
  })

  it('gives errors as values beside the replies', async () => {
    const [tag] = tags as [string]
    const replies = await opened.transport.send(opened.transport.nodeOf(tag), [
      ['SET', `rc:${tag}:text`, 'x'],
      ['LPUSH', `rc:${tag}:text`, 'y'],
      ['GET', `rc:${tag}:text`],
      ['GET', `rc:${tag}:none`],
    ])
    expect(replies[1]).toMatchObject({ message: expect.stringContaining('WRONGTYPE') })
    expect(replies[2]).toEqual(Buffer.from('x'))
    expect(replies[3]).toBeNull()
  })

  it('follows commands that were sent to the wrong node', async () => {
    const [tag] = tags as [string]
    const wrong = tags
      .map((one) => opened.transport.nodeOf(one))
      .find((node) => node !== opened.transport.nodeOf(tag)) as string
    const mine = tags.find((one) => opened.transport.nodeOf(one) === wrong) as string
    const replies = await opened.transport.send(wrong, [
      ['SET', `rc:${mine}:m`, '1'],
      ['SET', `rc:${tag}:m`, '2'],
      ['GET', `rc:${mine}:m`],
      ['GET', `rc:${tag}:m`],
    ])
    expect(replies.map(String)).toEqual(['OK', 'OK', '1', '2'])
  })

  it('delivers sharded messages of each part in their order', async () => {
    const bus = openTransport(cluster.nodes)
    await bus.untilReady()
    const channels = space.partitions.map((partition) => space.channel(partition, true))
    bus.transport.subscribe(channels)
    await until('it is subscribed', () => bus.subscribed.count > 0)
    expect(bus.subscribed.count).toBe(1)
    for (const [at, channel] of channels.entries()) {
      const tag = tags[at] as string
      const publish = [1, 2, 3].map((n) => ['SPUBLISH', channel, `${n}`])
      await opened.transport.send(opened.transport.nodeOf(tag), publish)
    }
    await until('all messages are there', () => bus.messages.length === 3 * channels.length)
    for (const channel of channels) {
      const texts = bus.messages.filter(([of]) => of === channel).map(([, text]) => text)
      expect(texts).toEqual(['1', '2', '3'])
    }
    await bus.transport.close()
  })

  it('uses the plain bus where it cannot know the version, and moves it to another node', async () => {
    for (const node of cluster.nodes) {
      await node.cli('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-info')
    }
    const credentials = { username: 'app', password: 'secret' }
    const plain = openTransport(cluster.nodes, { credentials })
    await plain.untilReady()
    expect(plain.transport.bus).toBe('plain')
    const channel = space.channel(0, false)
    plain.transport.subscribe([channel])
    await until('it is subscribed', () => plain.subscribed.count === 1)
    const before = await connectionsOf('resilient-cache:bus')
    expect(before.toSorted()).toEqual([0, 0, 1])
    const publish = async (texts: string[]) => {
      const [node] = cluster.nodes
      for (const text of texts) await node?.cli('PUBLISH', channel, text)
    }
    await publish(['a', 'b', 'c'])
    await until('the messages are there', () => plain.messages.length === 3)
    const host = cluster.nodes[before.indexOf(1)]
    await host?.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await until('it is subscribed again', () => plain.subscribed.count === 2)
    await publish(['d'])
    await until('the next message is there', () => plain.messages.length === 4)
    expect(plain.messages.map(([, text]) => text)).toEqual(['a', 'b', 'c', 'd'])
    expect(await roundTrips(plain)).toEqual([])
    await plain.transport.close()
  })

  it('uses several connections per node in turn', async () => {
    const wide = openTransport(cluster.nodes, { connections: 3 })
    await wide.untilReady()
    await until('all connections are open', async () =>
      (await connectionsOf('resilient-cache')).every((count) => count === 4),
    )
    for (let round = 0; round < 3; round++) expect(await roundTrips(wide)).toEqual([])
    await wide.transport.close()
  })

  it.each([
    ['5.9', Cluster5],
    ['6', Cluster6],
  ])('works through a Cluster of ioredis %s, which stays open', async (_, ClusterClient) => {
    const client = new ClusterClient(
      cluster.nodes.map(({ host, port }) => ({ host, port })),
      { lazyConnect: true, redisOptions: { keyPrefix: 'ignored:' } },
    )
    const events: Error[] = []
    client.on('error', (error) => events.push(error))
    const brought = openTransport([], { target: { kind: 'client', client } })
    await brought.untilReady()
    expect(brought.states.at(-1)).toMatchObject({ source: 'client', lineage: 'first' })
    expect(await roundTrips(brought)).toEqual([])
    const [tag] = tags as [string]
    expect(await opened.ask(tag, 'EXISTS', `rc:${tag}:probe`)).toBe(1)
    const channel = space.channel(0, true)
    brought.transport.subscribe([channel])
    await until('it is subscribed', () => brought.subscribed.count === 1)
    await opened.ask(space.hashTag(0), 'SPUBLISH', channel, 'hello')
    await until('the message is there', () => brought.messages.length === 1)
    const listeners = () =>
      client
        .nodes()
        .map((node) => ['ready', 'error', 'close', 'end'].map((e) => node.listenerCount(e)))
    const during = listeners()
    await brought.transport.close()
    expect(
      listeners()
        .flat()
        .reduce((a, b) => a + b),
    ).toBe(during.flat().reduce((a, b) => a + b) - 12)
    expect(client.status).toBe('ready')
    expect(await client.set('mine', '1')).toBe('OK')
    expect(events).toEqual([])
    client.disconnect()
  })

  it('says what is wrong when nobody is there, and nothing more', async () => {
    const lonely = openTransport([], {
      target: { kind: 'cluster', nodes: [{ host: '127.0.0.1', port: 1 }] },
    })
    await until('it is down', () => lonely.states.at(-1)?.state === 'down')
    expect(lonely.states).toHaveLength(1)
    expect(lonely.states[0]?.error?.message).toContain('ECONNREFUSED')
    expect(lonely.transport.nodeOf(tags[0] as string)).toBe('')
    const reply = await lonely.ask(tags[0] as string, 'PING')
    expect(reply).toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    await lonely.transport.close()
  })

  it('closes all connections, and rejects what comes later', async () => {
    const short = openTransport(cluster.nodes)
    await short.untilReady()
    short.transport.subscribe([space.channel(0, true)])
    await until('it is subscribed', () => short.subscribed.count === 1)
    const flying = tags.map((tag) => short.ask(tag, 'GET', `rc:${tag}:probe`))
    await short.transport.close()
    await Promise.all(flying)
    expect(isError(await short.ask(tags[0] as string, 'PING'))).toBe(true)
    await until('only the shared transport is connected', async () => {
      const data = await connectionsOf('resilient-cache')
      const bus = await connectionsOf('resilient-cache:bus')
      return [...data, ...bus].every((count, at) => count === (at < 3 ? 1 : 0))
    })
  })
})
