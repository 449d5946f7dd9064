import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RedisSession } from '../../../src/adapters/redis/redis-session.ts'
import type { LoadEnd, ReadReply } from '../../../src/contracts/store.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { type DirectTransport, direct } from './direct-transport.ts'
import { openSession } from './redis-store.ts'
import type { Told } from './watched.ts'

let server: RedisProcess
const opened: RedisSession[] = []
const transports: DirectTransport[] = []

beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((session) => session.close()))
  transports.splice(0)
  await server.cli('CONFIG', 'SET', 'maxmemory', '0')
  await server.cli('FLUSHALL')
})
afterAll(() => server.stop())

async function open(
  login: { username?: string; password?: string } = {},
): Promise<{ session: RedisSession } & Told> {
  const transport = direct({ ports: [server.port], ...login }, (made) => transports.push(made))
  const result = await openSession(transport, 'app')
  opened.push(result.session)
  return result
}

const text = (reply: ReadReply, at = 0): string | undefined => {
  const bytes = reply.records[at]?.bytes
  return bytes && Buffer.from(bytes).toString()
}

const plain = (...keys: string[]) => ({ keys, tags: [] })
const leasing = (token: string, tags: string[] = [], keys = ['k']) => ({
  keys,
  tags,
  lease: { token, ms: 5000, when: 'always' as const },
})

async function set(
  session: RedisSession,
  key: string,
  value: string,
  tags: readonly string[] = [],
): Promise<number> {
  const { now } = await session.read(plain())
  const reply = await session.write({
    key,
    bytes: Buffer.from(value),
    freshUntil: now + 10_000,
    keepUntil: now + 20_000,
    tags,
  })
  if (!reply.stored) throw new Error(reply.reason)
  return reply.version
}

async function commit(
  session: RedisSession,
  started: ReadReply,
  token: string,
  tags: readonly string[],
  keepMs = 20_000,
) {
  const { epoch, sequence, now } = started
  return session.write({
    key: 'k',
    bytes: Buffer.from('loaded'),
    freshUntil: now + 10_000,
    keepUntil: now + keepMs,
    fence: { token, epoch, sequence, tags },
  })
}

describe('a session on a server', () => {
  it('serves after one pipeline, and every script takes one command from the first time', async () => {
    const { session } = await open()
    const [transport] = transports as [DirectTransport]
    const start = await session.read(leasing('a', ['t']))
    await session.renew('k', 'a', 5000)
    await commit(session, start, 'a', ['t'])
    await session.stamp(['t'], 'soft')
    await session.delete(['k'])
    await session.read(leasing('a'))
    await session.release('k', 'a')
    const [, ...after] = transport.sent.filter(([command]) => command?.[0] !== 'HMGET')
    expect(after.map((commands) => commands.map(([name]) => name))).toEqual(
      Array.from({ length: 7 }, () => ['EVALSHA']),
    )
  })

  it('goes on when the server has forgotten all scripts', async () => {
    const { session } = await open()
    await server.cli('SCRIPT', 'FLUSH', 'SYNC')
    const [read] = await Promise.all([session.read(leasing('a')), session.stamp(['t'], 'hard')])
    expect(read.leases).toEqual(['granted'])
    expect((await session.stamp(['t'], 'hard')).sequence).toBe(2)
  })

  it('lets only the head of a known entry come, and all of another one', async () => {
    const { session } = await open()
    const version = await set(session, 'k', 'the whole of it')
    await set(session, 'other', 'of another version')
    const known = { versions: [version, version], bytes: 9 }
    const reply = await session.read({ ...plain('k', 'other'), known })
    expect([text(reply), text(reply, 1)]).toEqual(['the whole', 'of another version'])
    expect(reply.leases).toEqual([undefined, undefined])
  })

  it('counts loads that stored nothing, until something is stored', async () => {
    const { session } = await open()
    const failure = { name: 'TypeError', message: 'no é', code: 'E_NO' }
    const ends: LoadEnd[] = [
      { kind: 'failed', failure: { name: 'Error', message: 'first' } },
      { kind: 'unused' },
      { kind: 'failed', failure },
      { kind: 'unstored' },
    ]
    expect((await session.read(leasing('a'))).fruitless).toEqual([undefined])
    for (const end of ends)
      await session.release('k', 'a', end).then(() => session.read(leasing('a')))
    const seen = await session.read(leasing('a'))
    expect(seen.fruitless).toEqual([{ failed: 2, failure, unstored: 1 }])
    await commit(session, seen, 'a', [])
    expect((await session.read(leasing('a'))).fruitless).toEqual([undefined])
  })

  it('reads what another program stored in its place as missing', async () => {
    const { session } = await open()
    await server.cli('RPUSH', 'rc:{app}:e:list', 'x')
    await server.cli('SET', 'rc:{app}:e:short', 'x')
    const keys = ['list', 'short']
    expect((await session.read(plain(...keys))).records).toEqual([undefined, undefined])
    const leased = await session.read(leasing('a', [], keys))
    expect(leased.records).toEqual([undefined, undefined])
    expect(leased.leases).toEqual(['granted', 'granted'])
  })

  it('keeps the stamps of an entry as long as the entry', async () => {
    const { session } = await open()
    const left = async () => Number(await server.cli('PTTL', 'rc:{app}:t:t'))
    const first = await session.read(leasing('a', ['t']))
    expect(await left()).toBeLessThanOrEqual(3_600_000)
    expect(await commit(session, first, 'a', ['t'], 7_200_000)).toMatchObject({ stored: true })
    expect(await left()).toBeGreaterThan(7_000_000)
    await session.stamp(['t'], 'hard')
    expect(await left()).toBeGreaterThan(7_000_000)
    const second = await session.read(leasing('a', ['t']))
    const forever = Number.POSITIVE_INFINITY
    expect(await commit(session, second, 'a', ['t'], forever)).toMatchObject({ stored: true })
    expect([await left(), Number(await server.cli('PTTL', 'rc:{app}:e:k'))]).toEqual([-1, -1])
  })

  it('gives a set its stamps, so that it is not older than they are', async () => {
    const { session } = await open()
    const before = await session.read(plain())
    await set(session, 'k', 'by hand', ['t'])
    const { stamps } = await session.read({ keys: ['k'], tags: ['t'] })
    expect(stamps[0]?.hard).toBeLessThanOrEqual(before.sequence)
  })

  it('can still be read, without leases, when the server is out of memory', async () => {
    const { session } = await open()
    await set(session, 'k', 'kept')
    await server.cli('CONFIG', 'SET', 'maxmemory', '1')
    const reply = await session.read(leasing('a'))
    expect([text(reply), reply.leases[0]]).toEqual(['kept', undefined])
    await expect(set(session, 'k', 'more')).rejects.toThrow(/OOM/)
  })
})

describe('two sessions on a server', () => {
  it('are told of all that the other did, in order and without a gap', async () => {
    const [one, other] = await Promise.all([open(), open()])
    const channels = async () => server.cli<(string | number)[]>('PUBSUB', 'NUMSUB', 'rc:{app}:bus')
    await until('both listen', async () => (await channels())[1] === 2)
    const { sequence } = await one.session.read(plain())
    await Promise.all(
      Array.from({ length: 300 }, (_, at) => {
        const { session } = at % 2 ? one : other
        return at % 3 ? session.stamp([`t${at}`], 'hard') : set(session, `k${at}`, 'x')
      }),
    )
    await until('all messages came', () => one.messages.length + other.messages.length >= 300)
    const numbers = [...one.messages, ...other.messages].map((message) =>
      message.kind === 'lost' ? Number.NaN : message.sequence,
    )
    expect(numbers.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 300 }, (_, at) => sequence + 1 + at),
    )
    for (const { messages } of [one, other]) {
      const own = messages.map((message) => message.kind !== 'lost' && message.sequence)
      expect(own).toEqual(own.toSorted((a, b) => Number(a) - Number(b)))
    }
  })

  it('learn by heartbeat what was never said', async () => {
    const { session, messages } = await open()
    await set(session, 'k', 'x')
    await server.cli('HINCRBY', 'rc:{app}:q', 'n', '1')
    await until('the loss is told', () => messages.length > 0, { withinMs: 2000 })
    expect(messages).toEqual([{ kind: 'lost' }])
  })

  it('both begin anew when one of them meets a server of another past', async () => {
    const [one, other] = await Promise.all([open(), open()])
    await set(one.session, 'k', 'of another past')
    const before = await other.session.read(plain('k'))
    transports[0]?.ready('other')
    await until('the other is told', () => other.messages.some(({ kind }) => kind === 'lost'))
    for (const { session } of [one, other]) {
      const reply = await session.read({ keys: ['k'], tags: ['t'] })
      expect(text(reply)).toBeUndefined()
      expect(reply.epoch).not.toBe(before.epoch)
    }
    expect(one.messages).toEqual([{ kind: 'lost', renumbered: true }])
  })
})

describe('what the server evicts', () => {
  it('makes entries stale when it is the stamp of a tag', async () => {
    const { session } = await open()
    const start = await session.read(leasing('a', ['t']))
    expect(await commit(session, start, 'a', ['t'])).toMatchObject({ stored: true })
    const { sequence } = await session.stamp(['t'], 'hard')
    await server.cli('DEL', 'rc:{app}:t:t')
    for (const request of [{ keys: ['k'], tags: ['t'] }, leasing('b', ['t'])]) {
      const { stamps } = await session.read(request)
      expect(stamps[0]?.hard).toBeGreaterThanOrEqual(sequence)
      expect(stamps[0]?.soft).toBeGreaterThanOrEqual(sequence)
    }
  })

  it('still refuses a load that a lost stamp had outdated', async () => {
    const { session } = await open()
    const start = await session.read(leasing('a', ['t']))
    await session.stamp(['t'], 'soft')
    await server.cli('DEL', 'rc:{app}:t:t')
    expect(await commit(session, start, 'a', ['t'])).toEqual({
      stored: false,
      reason: 'tag-changed',
    })
  })

  it('begins a new epoch when it is the sequence: nothing from before is believed', async () => {
    const [{ session }, other] = await Promise.all([open(), open()])
    await set(session, 'k', 'from before')
    await session.stamp(['t'], 'hard')
    const start = await session.read(leasing('a', ['t']))
    await server.cli('DEL', 'rc:{app}:q')
    expect(await commit(session, start, 'a', ['t'])).toEqual({
      stored: false,
      reason: 'epoch-changed',
    })
    const reply = await session.read({ keys: ['k'], tags: ['t'] })
    expect(text(reply)).toBeUndefined()
    expect(reply.epoch).not.toBe(start.epoch)
    expect(reply.stamps).toEqual([{ hard: reply.sequence, soft: reply.sequence }])
    await until('the other is told', () => other.messages.some(({ kind }) => kind === 'lost'))
  })

  it('is noticed when half of the sequence is gone', async () => {
    const { session } = await open()
    const before = await session.read(plain())
    await server.cli('HDEL', 'rc:{app}:q', 'n')
    expect((await session.read(plain())).epoch).not.toBe(before.epoch)
  })
})

/** What the guide grants, without scripts. */
const PLAIN =
  'client|setname info ping del get hdel hget hincrby hmget hset hsetnx mget persist pexpire pttl publish set subscribe time unlink'.split(
    ' ',
  )

describe('a lease that lies in the future', () => {
  it('keeps nobody from loading, once the clock of the server was set back', async () => {
    const { session } = await open()
    const start = await session.read(leasing('orphan'))
    const until = (ms: number) => server.cli('HSET', 'rc:{app}:l:k', 'u', String(start.now + ms))
    await until(14_000)
    expect((await session.read(leasing('b'))).leases).toEqual(['held'])
    await until(3_600_000)
    expect((await session.read(leasing('b'))).leases).toEqual(['granted'])
    expect((await session.read(leasing('c'))).leases).toEqual(['held'])
  })

  it('is still that of its holder as long as nobody else has asked', async () => {
    const { session } = await open()
    const start = await session.read(leasing('a'))
    await server.cli('HSET', 'rc:{app}:l:k', 'u', String(start.now + 3_600_000))
    expect(await session.renew('k', 'a', 5000)).toBe(true)
    expect(await commit(session, start, 'a', [])).toMatchObject({ stored: true })
  })
})

describe('a user who may not run scripts', () => {
  it('keeps the stamp of a tag as long as its entries live, with the rules of the guide', async () => {
    const rules = ['reset', 'on', '>secret', '~rc:*', '&rc:*', ...PLAIN.map((name) => `+${name}`)]
    await server.cli('ACL', 'SETUSER', 'plainest', ...rules)
    const { session } = await open({ username: 'plainest', password: 'secret' })
    const { now } = await session.read(plain())
    const write = { key: 'k', bytes: Buffer.from('x'), freshUntil: now, tags: ['t', 'u'] }
    const left = async (tag: string) => Number(await server.cli('PTTL', `rc:{app}:t:${tag}`))
    await session.stamp(['u'], 'hard')
    await session.write({ ...write, keepUntil: now + 2 * 3_600_000 })
    for (const tag of ['t', 'u']) expect(await left(tag)).toBeGreaterThan(1.9 * 3_600_000)
    await session.stamp(['t'], 'soft')
    expect(await left('t')).toBeGreaterThan(1.9 * 3_600_000)
    await session.write({ ...write, keepUntil: Number.POSITIVE_INFINITY })
    for (const tag of ['t', 'u']) expect(await left(tag)).toBe(-1)
  })

  it('does without them, and shares what it writes with those who may', async () => {
    await server.cli('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-@scripting')
    const [limited, full] = await Promise.all([
      open({ username: 'plain', password: 'secret' }),
      open(),
    ])
    expect(limited.states.at(-1)?.supports).toEqual({ leases: false, atomic: false })
    const start = await limited.session.read(leasing('a', ['t']))
    const { epoch, sequence, now } = start
    const write = {
      key: 'k',
      bytes: Buffer.from('x'),
      freshUntil: now + 500,
      keepUntil: now + 9000,
    }
    const fence = { epoch, sequence, tags: ['t'] }
    expect(await limited.session.write({ ...write, fence })).toMatchObject({ stored: true })
    const seen = await full.session.read({ keys: ['k'], tags: ['t'] })
    expect(text(seen)).toBe('x')
    expect(seen.stamps[0]?.hard).toBeLessThanOrEqual(sequence)
    await full.session.stamp(['t'], 'hard')
    expect(await limited.session.write({ ...write, fence })).toMatchObject({
      reason: 'tag-changed',
    })
    await limited.session.delete(['k'])
    expect(text(await full.session.read(plain('k')))).toBeUndefined()
    await until('those who listen find it out', () => full.messages.length > 0)
  })
})
