import { describe, expect, it } from 'vitest'
import type {
  LeaseRequest,
  ReadReply,
  ReadRequest,
  Store,
  StoreSession,
} from '../../src/contracts/store.ts'
import { memory } from '../../src/index.ts'
import { RemoteLevel } from '../../src/l2/remote-level.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { settle, watch } from '../read-path/fixture.ts'
import { altered } from './altered-store.ts'

/** A level over a store that keeps its replies until the test lets them go, where it is told to. */
function setUp(alter: (session: StoreSession) => Partial<StoreSession> = () => ({})) {
  const clock = new FakeClock(1_000_000)
  const sent: ReadRequest[] = []
  const held: Array<() => void> = []
  const failures: string[] = []
  const world = { holding: false }
  const store: Store = altered(memory(), (session) => ({
    async read(request) {
      if (request.keys.length > 0) sent.push(request)
      const reply = await session.read(request)
      if (world.holding) await new Promise<void>((resolve) => held.push(resolve))
      return reply
    },
    ...alter(session),
  }))
  const remote = new RemoteLevel(store, {
    clock,
    random: () => 0.5,
    space: 'test',
    rootTag: '!',
    onState: () => {},
    onError: (kind) => failures.push(kind),
    onMessage: () => {},
  })
  const put = (key: string) =>
    remote.set(key, async () => ({
      key,
      bytes: Buffer.from(key),
      freshUntil: clock.now() + 1e6,
      keepUntil: clock.now() + 1e6,
    }))
  const letGo = async (): Promise<void> => {
    for (const go of held.splice(0)) go()
    await settle()
  }
  return Object.assign(world, { clock, sent, failures, remote, put, letGo, held })
}

const lease = (token: string, when: LeaseRequest['when'] = 'stale'): LeaseRequest => ({
  token,
  ms: 5000,
  when,
})

const textOf = (reply: ReadReply | undefined) =>
  reply?.records.map((record) => record && Buffer.from(record.bytes).toString())

describe('reads of one turn', () => {
  it('are one operation, and each caller gets its part in the order of its request', async () => {
    const { remote, sent, put } = setUp()
    await Promise.all(['a', 'b', 'c'].map(put))
    await remote.stamp(['t2'], 'hard')
    await remote.stamp(['t1'], 'soft')
    const [one, two, three] = await Promise.all([
      remote.read({ keys: ['a'], tags: ['t1'] }),
      remote.read({ keys: ['c', 'missing', 'a'], tags: ['t2', 't1'] }),
      remote.read({ keys: ['b'], tags: [] }),
    ])
    expect(sent.map(({ keys, tags }) => [keys, tags])).toEqual([
      [
        ['a', 'c', 'missing', 'b'],
        ['t1', 't2'],
      ],
    ])
    expect([one, two, three].map(textOf)).toEqual([['a'], ['c', undefined, 'a'], ['b']])
    const [hard, soft] = [
      { hard: 4, soft: 0 },
      { hard: 0, soft: 5 },
    ]
    expect([one, two, three].map((reply) => reply?.stamps)).toEqual([[soft], [hard, soft], []])
    expect(two).toMatchObject({ sequence: 5, leases: [undefined, undefined, undefined] })
    expect(two?.positions).toHaveLength(3)
    expect(two).not.toHaveProperty('token')
  })

  it('are passed through untouched where there is only one', async () => {
    const { remote, sent } = setUp()
    const request = { keys: ['a'], tags: ['t'] }
    await remote.read(request)
    expect(sent[0]).toBe(request)
  })

  it('are kept apart by what they lease, and say under which token', async () => {
    const { remote, sent } = setUp()
    const replies = await Promise.all([
      remote.read({ keys: ['a'], tags: [], lease: lease('1') }),
      remote.read({ keys: ['b'], tags: [], lease: lease('2', 'always') }),
      remote.read({ keys: ['c'], tags: [] }),
      remote.read({ keys: ['d'], tags: [], lease: lease('4') }),
    ])
    expect(sent.map(({ keys, lease: asked }) => [keys, asked?.when])).toEqual([
      [['a', 'd'], 'stale'],
      [['b'], 'always'],
      [['c'], undefined],
    ])
    expect(replies.map((reply) => reply?.leases)).toEqual([
      ['granted'],
      ['granted'],
      [undefined],
      ['granted'],
    ])
    const [a, b, c, d] = replies.map((reply) => reply?.token)
    expect(a).toBe(d)
    expect(a).not.toBe('1')
    expect([b, c]).toEqual(['2', undefined])
    expect(await remote.renew('d', d ?? '', 5000)).toBe(true)
    expect(await remote.renew('d', '4', 5000)).toBe(false)
  })

  it('never share the lease of a key', async () => {
    const { remote, sent } = setUp()
    const replies = await Promise.all(
      ['1', '2'].flatMap((token) => [
        remote.read({ keys: ['a'], tags: [], lease: lease(token) }),
        remote.read({ keys: [`b${token}`], tags: [], lease: lease(`b${token}`) }),
      ]),
    )
    expect(sent.map(({ keys }) => keys)).toEqual([
      ['a', 'b1'],
      ['a', 'b2'],
    ])
    const [first, , second] = replies
    expect([first?.leases, second?.leases]).toEqual([['granted'], ['held']])
  })

  it('never give a lease to a load that knows the token of another one in its batch', async () => {
    const { remote } = setUp()
    const again = { keys: ['a'], tags: [], lease: lease('1', 'always') }
    await Promise.all([
      remote.read({ keys: ['x'], tags: [], lease: lease('1', 'always') }),
      remote.read({ ...again, lease: lease('2', 'always') }),
    ])
    const [, reply] = await Promise.all([
      remote.read({ keys: ['y'], tags: [], lease: lease('1', 'always') }),
      remote.read({ ...again, lease: lease('3', 'always') }),
    ])
    expect(reply?.leases).toEqual(['held'])
  })

  it('ask for a key in the version that all callers have, or whole', async () => {
    const { remote, sent } = setUp()
    const known = (versions: Array<number | undefined>, bytes: number) => ({ versions, bytes })
    await Promise.all([
      remote.read({ keys: ['a', 'b'], tags: [], known: known([1, 2], 64) }),
      remote.read({ keys: ['b', 'a'], tags: [], known: known([2, 7], 80) }),
      remote.read({ keys: ['c'], tags: [] }),
      remote.read({ keys: ['d'], tags: [], known: known([4], 64) }),
    ])
    expect(sent[0]).toMatchObject({
      keys: ['a', 'b', 'c', 'd'],
      known: { versions: [undefined, 2, undefined, 4], bytes: 80 },
    })
  })

  it('give each caller the failed loads of its own keys', async () => {
    const loads = (key: string) => ({ failed: key.length, unstored: 0 })
    const { remote } = setUp((session) => ({
      async read(request) {
        return { ...(await session.read(request)), fruitless: request.keys.map(loads) }
      },
    }))
    const [one, two] = await Promise.all([
      remote.read({ keys: ['a'], tags: [], lease: lease('1') }),
      remote.read({ keys: ['ccc', 'bb'], tags: [], lease: lease('2') }),
    ])
    expect(one?.fruitless).toEqual([loads('a')])
    expect(two?.fruitless).toEqual([loads('ccc'), loads('bb')])
  })

  it('are at most 256 keys in one operation; a larger request has one for itself', async () => {
    const { remote, sent } = setUp()
    const many = Array.from({ length: 300 }, (_, at) => `m${at}`)
    await Promise.all([
      ...Array.from({ length: 400 }, (_, at) => remote.read({ keys: [`k${at}`], tags: [] })),
      remote.read({ keys: many, tags: [] }),
    ])
    expect(sent.map(({ keys }) => keys.length)).toEqual([256, 144, 300])
  })
})

describe('batches', () => {
  it('are four at a time; what comes meanwhile is read together', async () => {
    const world = setUp()
    const { remote, sent, letGo } = world
    world.holding = true
    const reads = []
    for (let at = 0; at < 20; at++) {
      reads.push(watch(remote.read({ keys: [`k${at}`], tags: [] })))
      await settle()
    }
    expect(sent.map(({ keys }) => keys.length)).toEqual([1, 1, 1, 1])
    world.holding = false
    await letGo()
    expect(sent.map(({ keys }) => keys.length)).toEqual([1, 1, 1, 1, 16])
    expect(reads.every(({ value }) => value?.records.length === 1)).toBe(true)
  })

  it('that wait until the deadline of their callers are no failure, and are not sent after that', async () => {
    const world = setUp()
    const { remote, sent, clock, failures } = world
    world.holding = true
    const reads = []
    for (let at = 0; at < 4; at++) {
      reads.push(remote.read({ keys: [`k${at}`], tags: [] }))
      await clock.advance(1)
    }
    await clock.advance(10)
    const waiting = watch(remote.read({ keys: ['waits'], tags: [] }))
    await clock.advance(35)
    expect([waiting.state, failures.length]).toEqual(['pending', 0])
    await clock.advance(4)
    expect(failures).toHaveLength(4)
    // A place has become free, and it was still in time.
    expect(sent.at(-1)?.keys).toEqual(['waits'])
    await clock.advance(11)
    expect(waiting).toMatchObject({ state: 'fulfilled', value: undefined })
    expect(failures).toHaveLength(4)
    expect(remote.health().breaker.read).toBe('closed')
    await clock.advance(50)
    expect(remote.health().breaker.read).not.toBe('closed')
  })

  it('cost a hung L2 five of them in a row, and nobody waits when it is given up', async () => {
    const world = setUp((session) => ({
      read: (request) => (request.keys.length > 0 ? new Promise(() => {}) : session.read(request)),
    }))
    const { remote, clock, failures } = world
    const reads = []
    for (let at = 0; at < 90; at++) {
      reads.push(watch(remote.read({ keys: [`k${at}`], tags: [] })))
      await clock.advance(1)
    }
    await clock.advance(10)
    expect(failures).toHaveLength(5)
    // Those that were sent meanwhile have waited for nearly as long.
    const unsent = reads.slice(54)
    expect(unsent.every(({ state }) => state === 'fulfilled')).toBe(true)
    await clock.advance(4)
    expect(failures).toHaveLength(8)
    expect(reads.every(({ state }) => state === 'fulfilled')).toBe(true)
    expect(remote.usable).toBe(false)
    expect(await remote.read({ keys: ['k'], tags: [] })).toBeUndefined()
    await remote.close()
    expect(clock.pending).toBe(0)
  })

  it('give the leases of callers back that have left before the reply', async () => {
    const world = setUp()
    const { remote, clock, letGo } = world
    world.holding = true
    const request = { tags: [], lease: lease('1') }
    const reads = ['a', 'b'].map((key) => watch(remote.read({ ...request, keys: [key] })))
    await clock.advance(50)
    expect(reads.map(({ state, value }) => [state, value])).toEqual([
      ['fulfilled', undefined],
      ['fulfilled', undefined],
    ])
    world.holding = false
    await letGo()
    const [one, two] = await Promise.all(
      ['a', 'b'].map((key) => remote.read({ tags: [], keys: [key], lease: lease(`new ${key}`) })),
    )
    expect([one?.leases, two?.leases]).toEqual([['granted'], ['granted']])
  })

  it('use one timer for all who begin to wait together, and none once they are answered', async () => {
    const world = setUp()
    const { remote, clock, letGo } = world
    world.holding = true
    const reads = Array.from({ length: 100 }, (_, at) =>
      remote.read({ keys: [`k${at}`], tags: [] }),
    )
    await settle()
    expect(clock.pending).toBe(1)
    await letGo()
    await Promise.all(reads)
    expect(clock.pending).toBe(0)
  })
})
