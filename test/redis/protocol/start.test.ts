import { describe, expect, it } from 'vitest'
import { READ, RESET, WRITE } from '../../../src/adapters/redis/scripts.ts'
import type { Command } from '../../../src/adapters/redis/transport.ts'
import { isResilienceError } from '../../../src/kernel/errors.ts'
import { bytes, EPOCH, names, open, openReady } from './scripted-transport.ts'

const read = { keys: ['k'], tags: ['t'] }
const noScripts = ([name]: Command) =>
  name === 'EVAL' || name === 'EVALSHA' || name === 'SCRIPT'
    ? new Error("NOPERM this user has no permissions to run the 'evalsha' command")
    : undefined

describe('a session over a connection', () => {
  it('serves after one round trip, which proves and loads the scripts', async () => {
    const { transport, clock, states, messages, session } = open()
    transport.state({ lineage: 'first' })
    await clock.advance(0)
    expect(transport.sent).toHaveLength(1)
    expect(transport.sent[0]?.commands.filter(([, what]) => what === READ.sha)).toHaveLength(1)
    expect(names(transport.sent[0]?.commands ?? [])).toContain('SCRIPT')
    expect(states.at(-1)).toEqual({ state: 'ready', source: 'standalone' })
    expect(messages).toEqual([])
    expect((await session.read(read)).epoch).toBe(EPOCH)
  })

  it('takes a state that the transport tells while it is being opened', async () => {
    const { transport, clock, states } = open()
    transport.events.onState({ state: 'connecting', source: 'sentinel' })
    transport.events.onState({ state: 'ready', source: 'sentinel', lineage: 'first' })
    await clock.advance(0)
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'ready'])
  })

  it('rejects at once while there is no connection, and says why', async () => {
    const { session, transport, states } = open()
    await expect(session.read(read)).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    const error = new Error('ECONNREFUSED')
    transport.events.onState({ state: 'down', source: 'none', error })
    expect(states).toEqual([{ state: 'down', source: 'none', error }])
    await expect(session.delete(['k'])).rejects.toMatchObject({ cause: error })
    await expect(session.probe()).rejects.toMatchObject({ code: 'ERR_L2_UNAVAILABLE' })
    expect(transport.sent).toEqual([])
  })

  it('lets operations wait for the one round trip that makes it ready', async () => {
    const { session, transport } = open()
    transport.state({ lineage: 'first' })
    await expect(session.read(read)).resolves.toMatchObject({ epoch: EPOCH })
  })

  it('gives every part a new epoch before it serves a server of another past', async () => {
    const { session, transport, clock } = open()
    transport.state({ lineage: 'other' })
    const reply = session.read(read)
    await clock.advance(0)
    const commands = transport.sent[0]?.commands ?? []
    const at = (sha: string): number => commands.findIndex(([, what]) => what === sha)
    expect(at(RESET.sha)).toBeGreaterThan(-1)
    expect(at(RESET.sha)).toBeLessThan(at(READ.sha))
    expect((await reply).epoch).not.toBe(EPOCH)
  })

  it('serves nothing of another past while the new epoch cannot be made', async () => {
    const { session, transport, clock, states } = open()
    transport.answer = ([, what]) =>
      what === RESET.sha ? new Error('OOM command not allowed') : undefined
    transport.state({ lineage: 'other' })
    await clock.advance(0)
    expect(states.at(-1)).toMatchObject({ state: 'down', error: { message: /^OOM/ } })
    await expect(session.read(read)).rejects.toThrow()
    transport.answer = () => undefined
    // A connection that is told again as the same is still the one of another past.
    transport.state({ lineage: 'same' })
    await clock.advance(0)
    expect(
      transport
        .take()
        .at(-1)
        ?.commands.map(([, what]) => what),
    ).toContain(RESET.sha)
    expect(states.at(-1)?.state).toBe('ready')
  })

  it('refuses a server of another past that it may not write to', async () => {
    const { transport, clock, states } = open()
    transport.state({ lineage: 'other', readOnly: true })
    await clock.advance(0)
    expect(states.at(-1)?.state).toBe('down')
  })

  it('says what is wrong and tries again by itself, less and less often', async () => {
    const { transport, clock, states } = open()
    transport.answer = () => new Error('LOADING Redis is loading the dataset in memory')
    transport.state({ lineage: 'first' })
    await clock.advance(0)
    expect(states.at(-1)).toMatchObject({ state: 'down', error: { message: /^LOADING/ } })
    await clock.advance('60s')
    const tries = transport.take().length
    expect(tries).toBeGreaterThan(10)
    expect(tries).toBeLessThan(30)
    transport.answer = () => undefined
    await clock.advance('5s')
    expect(states.at(-1)).toEqual({ state: 'ready', source: 'standalone' })
  })

  it('stops trying when the connection is gone', async () => {
    const { transport, clock } = open()
    transport.answer = () => new Error('LOADING Redis is loading the dataset in memory')
    transport.state({ lineage: 'first' })
    await clock.advance(0)
    transport.events.onState({ state: 'down', source: 'none' })
    expect(clock.pending).toBe(0)
  })

  it('drops the outcome of a connection that another one has replaced', async () => {
    const { transport, clock, states } = open()
    transport.fail = () => new Error('connection lost')
    transport.state({ lineage: 'first' })
    transport.fail = () => undefined
    transport.state({ lineage: 'same' })
    await clock.advance(0)
    expect(states.map(({ state }) => state)).toEqual(['ready'])
  })

  it('goes on as it is when only more is known of the same connection', async () => {
    const { transport, clock, messages, states } = await openReady()
    transport.take()
    transport.state({ source: 'sentinel' })
    await clock.advance(0)
    expect(states.at(-1)).toEqual({ state: 'ready', source: 'sentinel', sameConnection: true })
    expect(messages).toEqual([])
    expect(transport.take()).toEqual([])
  })

  it('passes on what is complained of while it serves, and nothing of an attempt that failed', async () => {
    const { transport, clock, states } = open()
    transport.answer = () => new Error('LOADING Redis is loading the dataset in memory')
    transport.state({ lineage: 'first' })
    await clock.advance(0)
    transport.answer = () => undefined
    await clock.advance('5s')
    expect(states.at(-1)).toEqual({ state: 'ready', source: 'standalone' })
    const error = new Error('two of three sentinels do not answer')
    transport.state({ source: 'sentinel', error })
    expect(states.at(-1)).toEqual({
      state: 'ready',
      source: 'sentinel',
      sameConnection: true,
      error,
    })
  })

  it('holds nothing for fresh after a new connection, and tells that before it serves', async () => {
    const { transport, clock, messages, states } = await openReady()
    transport.state({ lineage: 'same' })
    expect(messages).toEqual([{ kind: 'lost', renumbered: true }])
    await clock.advance(0)
    expect(states.at(-1)?.state).toBe('ready')
    expect(messages).toEqual([{ kind: 'lost', renumbered: true }])
  })
})

describe('a session of a user who may not run scripts', () => {
  it('does without leases and bus, and says so', async () => {
    const { transport, states, session } = await openReady({}, (transport) => {
      transport.answer = noScripts
    })
    expect(states.at(-1)).toMatchObject({
      state: 'ready',
      supports: { leases: false, atomic: false },
      coherence: 'ttl-only',
    })
    expect(isResilienceError(states.at(-1)?.error, 'ERR_L2_UNAVAILABLE')).toBe(true)
    expect(transport.subscribed.at(-1)).toEqual([])
    const lease = { token: 'mine', ms: 1000, when: 'always' } as const
    expect((await session.read({ ...read, lease })).leases).toEqual([undefined])
    const write = { key: 'k', bytes: bytes('v'), freshUntil: 6e6, keepUntil: 7e6 }
    expect(await session.write(write)).toEqual({ stored: true, version: 11 })
    expect(await session.renew('k', 'mine', 1000)).toBe(false)
    const sent = transport.take().flatMap(({ commands }) => names(commands))
    expect(sent).not.toContain('EVALSHA')
    expect(sent).toContain('SET')
  })

  it('recognises a server that has no such command at all', async () => {
    const { states } = await openReady({}, (transport) => {
      transport.answer = ([name]) =>
        name === 'EVALSHA' ? new Error("ERR unknown command 'EVALSHA', with args") : undefined
    })
    expect(states.at(-1)?.supports).toEqual({ leases: false, atomic: false })
  })

  it('has no heartbeat', async () => {
    const { transport, clock } = await openReady({}, (transport) => {
      transport.answer = noScripts
    })
    await clock.advance('10s')
    expect(transport.take()).toEqual([])
  })
})

describe('a session that is closed', () => {
  it('leaves no timer, and rejects what comes later', async () => {
    const { session, transport, clock } = await openReady()
    const last = session.write({ key: 'k', bytes: bytes('v'), freshUntil: 6e6, keepUntil: 7e6 })
    await session.close()
    await session.close()
    await expect(last).resolves.toMatchObject({ stored: true })
    expect([transport.closed, clock.pending]).toEqual([1, 0])
    await expect(session.read(read)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await expect(session.stamp(['t'], 'hard')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  it('tells nothing any more', async () => {
    const { session, transport, clock, states, messages } = await openReady()
    const told = states.length
    await session.close()
    transport.state({ lineage: 'same' })
    transport.publish(`w 64 ${EPOCH} 11 other\nk`)
    transport.events.onSubscribed()
    await clock.advance('10s')
    expect([states.length - told, messages.length, clock.pending]).toEqual([0, 0, 0])
  })

  it('leaves no timer when it is closed while it tries to be ready', async () => {
    const { session, transport, clock } = open()
    transport.answer = () => new Error('LOADING')
    transport.state({ lineage: 'first' })
    await clock.advance(0)
    await session.close()
    expect(clock.pending).toBe(0)
  })
})

it('names the script of a commit by its digest, and sends that of a set in full', async () => {
  const { session, transport } = await openReady()
  const write = { key: 'k', bytes: bytes('v'), freshUntil: 6e6, keepUntil: 7e6 }
  await session.write({ ...write, fence: { token: 't', sequence: 10, epoch: 7, tags: [] } })
  await session.write(write)
  expect(transport.sent.map(({ commands }) => commands[0]?.slice(0, 2))).toEqual([
    ['EVALSHA', WRITE.sha],
    ['EVAL', WRITE.source],
  ])
})

describe('a session whose user may not listen', () => {
  const denial = new Error('NOPERM No permissions to access a channel')

  it('says why, does without the bus, and asks for nothing once a second', async () => {
    const { transport, clock, states, messages } = await openReady()
    transport.events.onDenied?.(denial)
    transport.events.onDenied?.(denial)
    expect(messages).toEqual([{ kind: 'lost' }])
    expect(states.at(-1)).toMatchObject({
      state: 'ready',
      coherence: 'ttl-only',
      sameConnection: true,
      error: { message: /NOPERM.*&rc:\*/, cause: denial },
    })
    transport.number += 5
    await clock.advance('10s')
    expect(messages).toHaveLength(1)
    expect(transport.take()).toEqual([])
  })

  it('knows it from the start of a connection on', async () => {
    const { transport, clock, states, messages } = open()
    transport.state({ lineage: 'first' })
    transport.events.onDenied?.(denial)
    await clock.advance('5s')
    expect(states.at(-1)).toMatchObject({ state: 'ready', coherence: 'ttl-only' })
    expect(messages).toEqual([])
  })

  it('is told again as soon as it may', async () => {
    const { transport, clock, states, messages } = await openReady()
    transport.events.onDenied?.(denial)
    transport.events.onSubscribed()
    await clock.advance(0)
    expect(states.at(-1)).toEqual({ state: 'ready', source: 'standalone', sameConnection: true })
    transport.number += 5
    await clock.advance('3s')
    expect(messages.length).toBeGreaterThan(2)
  })
})
