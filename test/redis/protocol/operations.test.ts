import { describe, expect, it } from 'vitest'
import { packRecord } from '../../../src/adapters/redis/record.ts'
import { READ } from '../../../src/adapters/redis/scripts.ts'
import type { Command } from '../../../src/adapters/redis/transport.ts'
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

  it('tell how loads of a key ended that stored nothing', async () => {
    const { session, transport } = await openReady()
    const failure = { name: 'Error', message: 'no' }
    transport.answer = ([name]) =>
      name === 'EVALSHA'
        ? [
            ...[bytes('7'), bytes('1'), bytes('5')],
            ...[null, 2, [bytes('3'), bytes(JSON.stringify(failure)), bytes('1')]],
            ...[null, 1, [bytes('1'), bytes('{broken'), bytes('0')]],
            ...[null, 1, null],
          ]
        : undefined
    const { fruitless, leases } = await session.read({ keys: ['a', 'b', 'c'], tags: [], lease })
    expect(leases).toEqual(['held', 'granted', 'granted'])
    expect(fruitless).toEqual([
      { failed: 3, unstored: 1, failure },
      { failed: 1, unstored: 0 },
      undefined,
    ])
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
