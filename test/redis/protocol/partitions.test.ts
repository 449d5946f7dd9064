import { describe, expect, it } from 'vitest'
import { KeySpace } from '../../../src/adapters/redis/key-space.ts'
import { DELETE, READ, TOUCH, WRITE } from '../../../src/adapters/redis/scripts.ts'
import { bytes, EPOCH, type Opened, openReady } from './scripted-transport.ts'

const space = new KeySpace('rc', 'app', true)
const lease = { token: 'mine', ms: 1000, when: 'stale' } as const

/** Even parts on one node, odd ones on another, the stamps on a third. */
function nodeOf(hashTag: string): string {
  const part = /\/(\w+)/.exec(hashTag)?.[1]
  if (part === 't') return 'stamps'
  return Number(part) % 2 === 0 ? 'even' : 'odd'
}

function clustered(): Promise<Opened> {
  return openReady({}, (transport) => {
    transport.isClustered = true
    transport.bus = 'sharded'
    transport.nodes = nodeOf
  })
}

/** A key in this part. */
function keyIn(partition: number): string {
  for (let at = 0; ; at++) if (space.partitionOf(`k${at}`) === partition) return `k${at}`
}

const [zero, one, two] = [keyIn(0), keyIn(1), keyIn(2)]

describe('in Cluster', () => {
  it('a session is ready after one round trip to each node', async () => {
    const { transport, states } = await openReady({}, (transport) => {
      transport.isClustered = true
      transport.nodes = nodeOf
      transport.take = () => []
    })
    const first = transport.sent.slice(0, 3)
    expect(first.map(({ node }) => node).sort()).toEqual(['even', 'odd', 'stamps'])
    const reads = first.flatMap(({ commands }) => commands).filter(([, what]) => what === READ.sha)
    expect(reads).toHaveLength(65)
    expect(states.at(-1)?.state).toBe('ready')
  })

  it('a load is one pipeline per node: a script per part, and one for the stamps', async () => {
    const { session, transport } = await clustered()
    const keys = [zero, one, two, zero]
    const { leases, positions } = await session.read({ keys, tags: ['t'], lease })
    expect(leases).toEqual(['granted', 'granted', 'granted', 'granted'])
    expect(positions).toHaveLength(4)
    expect(transport.sent.map(({ node, commands }) => [node, commands.length]).sort()).toEqual([
      ['even', 2],
      ['odd', 1],
      ['stamps', 1],
    ])
    for (const { commands } of transport.sent) {
      for (const [, what] of commands) expect(what).toBe(READ.sha)
    }
  })

  it('each key has the position of its own part', async () => {
    const { session, transport } = await clustered()
    transport.answer = ([name, key]) => {
      if (name !== 'HMGET') return undefined
      return String(key).includes('/1}') ? [bytes('8'), bytes('100')] : undefined
    }
    const { positions, epoch, sequence } = await session.read({ keys: [one, zero], tags: [] })
    expect([epoch, sequence]).toEqual([EPOCH, 10])
    expect(positions).toEqual([
      { epoch: 8, sequence: 100 },
      { epoch: EPOCH, sequence: 10 },
    ])
  })

  it('keys of a dead node read as missing and without a lease', async () => {
    const { session, transport } = await clustered()
    transport.fail = (node) => (node === 'odd' ? new Error('connection lost') : undefined)
    const { records, leases, positions } = await session.read({
      keys: [one, zero],
      tags: [],
      lease,
    })
    expect(records).toEqual([undefined, undefined])
    expect(leases).toEqual([undefined, 'granted'])
    expect(positions).toHaveLength(2)
  })

  it('a read fails without the stamps, or without all of its parts', async () => {
    const { session, transport } = await clustered()
    transport.fail = (node) => (node === 'stamps' ? new Error('stamps lost') : undefined)
    await expect(session.read({ keys: [zero], tags: [] })).rejects.toThrow('stamps lost')
    transport.fail = (node) => (node === 'stamps' ? undefined : new Error('parts lost'))
    await expect(session.read({ keys: [zero, one], tags: [] })).rejects.toThrow('parts lost')
    await expect(session.read({ keys: [], tags: ['t'] })).resolves.toBeDefined()
  })

  it('a session is ready although a node is dead, unless it is that of the stamps', async () => {
    const { states } = await openReady({}, (transport) => {
      transport.isClustered = true
      transport.nodes = nodeOf
      transport.fail = (node) => (node === 'odd' ? new Error('connection lost') : undefined)
    })
    expect(states.at(-1)?.state).toBe('ready')
    const other = await openReady({}, (transport) => {
      transport.isClustered = true
      transport.nodes = nodeOf
      transport.fail = (node) => (node === 'stamps' ? new Error('connection lost') : undefined)
    })
    expect(other.states.at(-1)?.state).toBe('down')
  })

  it('a commit goes to the part of its key, and makes the stamps last beside it', async () => {
    const { session, transport } = await clustered()
    const fence = { token: 'mine', sequence: 10, epoch: EPOCH, tags: ['t'] }
    const write = { key: one, bytes: bytes('v'), freshUntil: 6e6, keepUntil: 7e6, fence }
    expect(await session.write(write)).toMatchObject({ stored: true })
    const sent = transport.take().map(({ node, commands }) => [node, commands.map((c) => c[1])])
    expect(sent.sort()).toEqual([
      ['odd', [WRITE.sha]],
      ['stamps', [TOUCH.sha]],
    ])
    transport.fail = (node) => (node === 'stamps' ? new Error('connection lost') : undefined)
    expect(await session.write(write)).toMatchObject({ stored: true })
  })

  it('a delete is told part by part, and fails if one of them did', async () => {
    const { session, transport } = await clustered()
    await session.delete([zero, one, two])
    const commands = transport.take().flatMap(({ commands }) => commands)
    expect(commands.map(([, what]) => what)).toEqual([DELETE.sha, DELETE.sha, DELETE.sha])
    transport.fail = (node) => (node === 'odd' ? new Error('connection lost') : undefined)
    await expect(session.delete([zero, one])).rejects.toThrow('connection lost')
  })

  it('a session listens to a channel of each part where the bus is sharded', async () => {
    const { transport } = await clustered()
    expect(transport.subscribed).toHaveLength(1)
    expect(new Set(transport.subscribed[0]).size).toBe(65)
  })

  it('a heartbeat asks each node once', async () => {
    const { transport, clock, messages } = await clustered()
    transport.take()
    await clock.advance(1000)
    expect(
      transport
        .take()
        .map(({ node }) => node)
        .sort(),
    ).toEqual(['even', 'odd', 'stamps'])
    transport.number++
    await clock.advance(1300)
    expect(messages).toEqual([{ kind: 'lost' }])
  })
})
