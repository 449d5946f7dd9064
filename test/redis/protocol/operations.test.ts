import { describe, expect, it } from 'vitest'
import { packRecord } from '../../../src/adapters/redis/record.ts'
import { LEASE, READ } from '../../../src/adapters/redis/scripts.ts'
import type { Command, Reply } from '../../../src/adapters/redis/transport.ts'
import { bytes, EPOCH, names, openReady, SERVER_NOW } from './scripted-transport.ts'

const lease = { token: 'mine', ms: 1000, when: 'stale' } as const
const write = { key: 'k', bytes: bytes('v'), freshUntil: 6e6, keepUntil: 9e9 }

/** The arguments of a script call behind its keys. */
const argumentsOf = (command: Command | undefined): readonly unknown[] =>
  command?.slice(3 + Number(command[2])) ?? []

describe('reads', () => {
  it('take one command with a lease', async () => {
    const { session, transport } = await openReady()
    const { leases } = await session.read({ keys: ['a', 'b'], tags: ['t'], lease })
    expect(leases).toEqual(['granted', 'granted'])
    expect(transport.sent.map(({ commands }) => names(commands))).toEqual([['EVALSHA']])
  })

  it('run no script without a lease, and look at the sequence before the values', async () => {
    const { session, transport } = await openReady()
    await session.read({ keys: ['a', 'b'], tags: ['t'] })
    expect(transport.sent.map(({ commands }) => names(commands))).toEqual([
      ['HMGET', 'TIME', 'MGET', 'MGET'],
    ])
    const [, , stamps, entries] = transport.sent[0]?.commands ?? []
    expect(stamps).toEqual(['MGET', 'rc:{app}:t:t'])
    expect(entries).toEqual(['MGET', 'rc:{app}:e:a', 'rc:{app}:e:b'])
  })

  it('take a missing stamp for one of just now, and make none', async () => {
    const { session, transport } = await openReady()
    const { stamps, sequence } = await session.read({ keys: [], tags: ['t'] })
    expect([stamps, sequence]).toEqual([[{ hard: 10, soft: 10 }], 10])
    expect(transport.sent).toHaveLength(1)
  })

  it('give the bytes of an entry without a copy, and nothing of another epoch', async () => {
    const { session, transport } = await openReady()
    const record = { version: 9, freshUntil: 1, bytes: bytes('value') }
    const here = packRecord({ ...record, epoch: EPOCH })
    const elsewhere = packRecord({ ...record, epoch: EPOCH + 1 })
    transport.answer = ([name, first]) =>
      name === 'MGET' && String(first).includes(':e:')
        ? [here, elsewhere, bytes('short'), null]
        : undefined
    const { records } = await session.read({ keys: ['a', 'b', 'c', 'd'], tags: [] })
    expect(records).toEqual([
      { bytes: bytes('value'), version: 9 },
      undefined,
      undefined,
      undefined,
    ])
    expect(records[0]?.bytes.buffer).toBe(here.buffer)
  })

  it('make the sequence by the script where there is none', async () => {
    const { session, transport } = await openReady()
    transport.answer = ([name]) => (name === 'HMGET' ? [null, null] : undefined)
    await session.read({ keys: ['a'], tags: ['t'] })
    expect(transport.sent.map(({ commands }) => names(commands)[0])).toEqual(['HMGET', 'EVALSHA'])
  })

  it('let only the head of known entries come', async () => {
    const { session, transport } = await openReady()
    const known = { versions: [5, undefined], bytes: 64 }
    await session.read({ keys: ['a', 'b'], tags: [], known })
    const [command] = transport.sent[0]?.commands ?? []
    expect(command?.[1]).toBe(READ.sha)
    expect(argumentsOf(command).slice(1)).toEqual([2, 0, '', '', 0, 64, 5, ''])
  })

  it.each([
    ['a few', 2],
    ['many', 50],
  ])('of %s keys tell how loads ended that stored nothing', async (_, others) => {
    const { session, transport } = await openReady()
    const failure = { name: 'Error', message: 'no' }
    const told = [bytes('3'), bytes(JSON.stringify(failure)), bytes('1')]
    const broken = [bytes('1'), bytes('{broken'), bytes('0')]
    const ends = [told, broken, ...Array.from({ length: others }, () => null)] as Reply[]
    const grants = ends.map((_, at) => (at === 0 ? 2 : 1))
    const head = [bytes('7'), bytes('1'), bytes('5')]
    transport.answer = ([name, what]) => {
      if (name !== 'EVALSHA') return undefined
      if (what === READ.sha)
        return [...head, ...ends.flatMap((end, at) => [null, grants[at] ?? 0, end])]
      return [...head, ends.flatMap((end, at) => [at + 1, grants[at] ?? 0, end])]
    }
    const keys = ends.map((_, at) => `k${at}`)
    const reply = await session.read({ keys, tags: [], lease })
    expect(reply.leases?.slice(0, 3)).toEqual(['held', 'granted', 'granted'])
    expect(reply.fruitless?.slice(0, 3)).toEqual([
      { failed: 3, unstored: 1, failure },
      { failed: 1, unstored: 0 },
      undefined,
    ])
  })

  describe('of many keys, whose values do not go through the script', () => {
    const KEYS = ['a', 'b', 'c', 'd']
    const record = (version: number, freshUntil = 9e9, epoch = EPOCH): Buffer =>
      packRecord({ version, freshUntil, epoch, bytes: bytes(`v${version}`) })
    const head = (number: string, epoch = String(EPOCH)): Reply[] => [
      ...[bytes(epoch), bytes(number), bytes(String(SERVER_NOW))],
    ]

    /** What the three commands answer: the script that leases, the values, the script that reads. */
    const reading = async (missing: Reply[], values: Reply, again: Reply[]) => {
      const { session, transport } = await openReady()
      transport.answer = ([name, what]) => {
        if (name === 'MGET') return values
        return what === LEASE.sha ? [...head('1'), missing] : again
      }
      const reply = await session.read({ keys: KEYS, tags: [], lease })
      const sent = transport.sent.map(({ commands }) => names(commands))
      return { reply, sent, last: transport.sent.at(-1)?.commands.at(-1) }
    }

    it('take one round trip where all is there, or is missing', async () => {
      const values = [record(1), null, null, record(2)]
      const { reply, sent } = await reading([2, 1, null, 3, 2, null], values, [])
      expect(sent).toEqual([['EVALSHA', 'MGET']])
      expect(reply.records.map((one) => one?.version)).toEqual([1, undefined, undefined, 2])
      expect(reply.leases).toEqual([undefined, 'granted', 'held', undefined])
    })

    it('do not take what came in after the lease was given, but what another has just stored', async () => {
      const values = [record(1), record(2), record(3), record(4)]
      const { reply, sent } = await reading([2, 1, null, 3, 2, null], values, [])
      expect(sent).toHaveLength(1)
      expect(reply.records.map((one) => one?.version)).toEqual([1, undefined, 3, 4])
      expect(reply.leases).toEqual([undefined, 'granted', undefined, undefined])
    })

    it.each([
      ['has gone in between', null],
      ['is not fresh', record(1, SERVER_NOW)],
      ['is of another epoch', record(1, 9e9, EPOCH + 1)],
      ['is not ours', bytes('foreign')],
    ])('ask once more, with the lease, for what %s', async (_, value) => {
      const values = [record(5), value, record(6), record(7)]
      const { reply, last, sent } = await reading([], values, [...head('9'), null, 1, null])
      expect(sent).toEqual([['EVALSHA', 'MGET'], ['EVALSHA']])
      expect(last?.[1]).toBe(READ.sha)
      expect(argumentsOf(last).slice(1)).toEqual([1, 0, 'stale', 'mine', 1000, 0])
      expect(reply.records.map((one) => one?.version)).toEqual([5, undefined, 6, 7])
      expect(reply.leases).toEqual([undefined, 'granted', undefined, undefined])
      // Of what has happened since the first answer, messages are news.
      expect(reply.sequence).toBe(1)
    })

    it('are asked anew as a whole where the data was lost in between', async () => {
      const values = [record(5), null, record(6), record(7)]
      const nothing = KEYS.flatMap((): Reply[] => [null, 1, null])
      const { reply, sent } = await reading([], values, [...head('0', '99'), ...nothing])
      expect(sent).toHaveLength(3)
      expect(reply).toMatchObject({ epoch: 99, sequence: 0 })
      expect(reply.records).toEqual(KEYS.map(() => undefined))
      expect(reply.leases).toEqual(KEYS.map(() => 'granted'))
    })
  })

  it('keep what Redis said as the error', async () => {
    const { session, transport } = await openReady()
    transport.answer = () => new Error('NOAUTH Authentication required.')
    await expect(session.read({ keys: ['secret-key'], tags: [] })).rejects.toThrow(/^NOAUTH/)
  })

  it('reject answers of another shape, without a key in the message', async () => {
    const { session, transport } = await openReady()
    transport.answer = () => bytes('+OK')
    const error = await session.read({ keys: ['secret-key'], tags: [], lease }).catch((e) => e)
    expect(error).toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    expect(String(error.message)).not.toContain('secret')
  })
})

describe('writes', () => {
  it('go in one pipeline with the reads of the same turn', async () => {
    const { session, transport } = await openReady()
    await Promise.all([
      session.write(write),
      session.read({ keys: ['k'], tags: [], lease }),
      session.delete(['a', 'b']),
      session.stamp(['t'], 'hard'),
    ])
    expect(transport.sent).toHaveLength(1)
    expect(transport.sent[0]?.commands).toHaveLength(4)
  })

  it('that are too large are refused here, and nothing is sent', async () => {
    const { session, transport } = await openReady()
    expect(await session.write({ ...write, bytes: new Uint8Array(101) })).toEqual({
      stored: false,
      reason: 'too-large',
    })
    expect(transport.sent).toEqual([])
    expect(await session.write({ ...write, bytes: new Uint8Array(100) })).toMatchObject({
      stored: true,
    })
  })

  it('give reasons for a refusal as the script does', async () => {
    const { session, transport } = await openReady()
    const fence = { token: 'mine', sequence: 10, epoch: EPOCH, tags: ['t'] }
    for (const reason of ['lease-lost', 'tag-changed', 'epoch-changed']) {
      transport.answer = ([name]) => (name === 'EVALSHA' ? bytes(reason) : undefined)
      expect(await session.write({ ...write, fence })).toEqual({ stored: false, reason })
    }
  })

  it('of a load without a token are refused here: to the script they would be sets', async () => {
    const { session, transport } = await openReady()
    const fence = { sequence: 10, epoch: EPOCH, tags: [] }
    expect(await session.write({ ...write, fence })).toMatchObject({ reason: 'lease-lost' })
    expect(transport.sent).toEqual([])
  })

  it('live no longer than the connection allows, in the time of the server', async () => {
    const { session, transport, clock } = await openReady()
    transport.state({ source: 'last-known', lineage: 'same', maxKeepMs: 60_000 })
    await clock.advance(250)
    transport.take()
    await session.write(write)
    await session.write({ ...write, keepUntil: SERVER_NOW + 1 })
    const kept = transport.sent.map(({ commands }) => argumentsOf(commands[0])[5])
    expect(kept).toEqual([String(SERVER_NOW + 250 + 60_000), String(SERVER_NOW + 1)])
  })

  it('are rejected at once by a connection for reading only, which still reads', async () => {
    const { session, transport, clock, states } = await openReady()
    transport.state({ source: 'last-known', lineage: 'same', readOnly: true })
    await clock.advance(0)
    transport.take()
    expect(states.at(-1)).toEqual({ state: 'ready', source: 'last-known', readOnly: true })
    const refused = [
      session.write(write),
      session.delete(['k']),
      session.stamp(['t'], 'soft'),
      session.renew('k', 'mine', 1000),
      session.release('k', 'mine'),
    ]
    for (const result of await Promise.allSettled(refused)) {
      expect(result).toMatchObject({ reason: { code: 'ERR_L2_UNAVAILABLE' } })
    }
    expect(transport.sent).toEqual([])
    expect((await session.read({ keys: ['k'], tags: [], lease })).leases).toEqual([undefined])
    expect(transport.sent.flatMap(({ commands }) => names(commands))).not.toContain('EVALSHA')
  })

  it('tell the others who did it, and nobody where there is no bus', async () => {
    const { session, transport } = await openReady()
    await session.write(write)
    const told = argumentsOf(transport.sent[0]?.commands[0]).slice(7)
    expect(told.slice(0, 3)).toEqual(['PUBLISH', 'rc:{app}:bus', 'w 64'])
    expect(told[3]).toMatch(/^\w+\nk$/)
    const silent = await openReady({ coherence: 'ttl-only' })
    await silent.session.write(write)
    expect(argumentsOf(silent.transport.sent[0]?.commands[0]).slice(7)).toEqual(['', '', '', ''])
    expect(silent.transport.subscribed).toEqual([])
  })
})

describe('a set that a frozen server carries out later', () => {
  it('says until when it may be done, in the time of the server', async () => {
    const { session, transport } = await openReady()
    await session.write({ key: 'k', bytes: bytes('v'), freshUntil: 6e6, keepUntil: 7e6 })
    const [command] = transport.take().at(-1)?.commands ?? []
    const args = command?.slice(3 + 3) ?? []
    const { now } = await session.read({ keys: [], tags: [] })
    expect(args[3]).toBe(now + 1000)
  })

  it('is refused as late by a server without scripts too', async () => {
    const { session, transport, clock } = await openReady({}, (transport) => {
      transport.answer = ([name]) =>
        name === 'EVAL' || name === 'EVALSHA' ? new Error('NOPERM no scripts') : undefined
    })
    const usual = transport.answer
    transport.answer = (command, node) =>
      command[0] === 'TIME'
        ? [bytes(String((SERVER_NOW + 2000) / 1000)), bytes('0')]
        : usual(command, node)
    expect(await session.write(write)).toEqual({ stored: false, reason: 'late' })
    expect(transport.sent.flatMap(({ commands }) => names(commands))).not.toContain('SET')
    await clock.advance(0)
  })
})
